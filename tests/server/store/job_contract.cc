// What Store promises of jobs.
#include <thread>
#include <utility>

#include <absl/strings/str_cat.h>

#include "tests/server/store/store_contract.h"

namespace mlp::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<int64_t> Ids(const std::vector<v1::TrainingJob>& jobs) {
  std::vector<int64_t> ids;
  ids.reserve(jobs.size());
  for (const v1::TrainingJob& job : jobs) ids.push_back(job.id());
  return ids;
}

v1::TrainingJob NewJob() {
  v1::TrainingJob job;
  job.set_model("model");
  job.set_dataset("data");
  return job;
}

TEST_P(StoreContract, JobIsStoredAsQueuedWithItsOwnId) {
  AddData();
  v1::TrainingJob job = NewJob();
  job.set_id(77);
  job.set_state(v1::JOB_STATE_SUCCEEDED);
  job.mutable_config()->set_lambda(0.5);
  job.mutable_config()->mutable_network()->add_layers(4);
  const v1::TrainingJob created = store().CreateJob(job, "", 10).value();
  EXPECT_EQ(created.id(), 1);
  v1::TrainingJob expected = job;
  expected.set_id(1);
  expected.set_state(v1::JOB_STATE_QUEUED);
  expected.set_dataset_sha256(store().GetDataset("data").value().sha256());
  expected.mutable_create_time()->set_seconds(1'700'000'000);
  EXPECT_THAT(created, EqualsMessage(expected));
  Reopen();
  EXPECT_THAT(store().GetJob(1).value(), EqualsMessage(expected));
}

TEST_P(StoreContract, JobKeepsWhatItsCreatorSays) {
  AddData();
  v1::TrainingJob job = NewJob();
  job.set_dataset_sha256("0123");
  job.mutable_create_time()->set_seconds(5);
  const v1::TrainingJob created = store().CreateJob(job, "", 10).value();
  EXPECT_EQ(created.dataset_sha256(), "0123");
  EXPECT_EQ(created.create_time().seconds(), 5);
}

TEST_P(StoreContract, JobThatIsUnknownIsNotFound) {
  EXPECT_THAT(store().GetJob(3), HasStatus(absl::StatusCode::kNotFound, "job 3"));
  EXPECT_THAT(store().DeleteJob(3), HasStatus(absl::StatusCode::kNotFound, "job 3"));
  v1::TrainingJob job;
  job.set_id(3);
  EXPECT_THAT(store().UpdateJob(job, v1::JOB_STATE_QUEUED),
              HasStatus(absl::StatusCode::kNotFound, "job 3"));
}

TEST_P(StoreContract, JobNeedsItsDataset) {
  EXPECT_THAT(store().CreateJob(NewJob(), "", 10),
              HasStatus(absl::StatusCode::kNotFound, "dataset data"));
  AddData();
  ASSERT_THAT(store().DeleteDataset("data"), IsOk());
  EXPECT_THAT(store().CreateJob(NewJob(), "", 10),
              HasStatus(absl::StatusCode::kNotFound, "dataset data"));
  EXPECT_THAT(store().ListJobs({}, {}).value().items, IsEmpty());
}

TEST_P(StoreContract, JobIsRefusedWhereTheQueueIsFull) {
  AddData();
  v1::TrainingJob first = store().CreateJob(NewJob(), "", 2).value();
  ASSERT_THAT(store().CreateJob(NewJob(), "", 2), IsOk());
  EXPECT_THAT(store().CreateJob(NewJob(), "", 2),
              HasStatus(absl::StatusCode::kResourceExhausted, "2 of at most 2"));
  // Running jobs are not queued.
  first.set_state(v1::JOB_STATE_RUNNING);
  ASSERT_THAT(store().UpdateJob(first, v1::JOB_STATE_QUEUED), IsOk());
  EXPECT_THAT(store().CreateJob(NewJob(), "", 2), IsOk());
}

TEST_P(StoreContract, JobRequestedAgainIsTheSameJob) {
  AddData();
  v1::TrainingJob first = store().CreateJob(NewJob(), "request", 1).value();
  v1::TrainingJob other = NewJob();
  other.set_model("other");
  // Although the queue is full, and whatever the job has become.
  EXPECT_THAT(store().CreateJob(other, "request", 1).value(), EqualsMessage(first));
  first.set_state(v1::JOB_STATE_CANCELLED);
  ASSERT_THAT(store().UpdateJob(first, v1::JOB_STATE_QUEUED), IsOk());
  Reopen();
  EXPECT_THAT(store().CreateJob(other, "request", 1).value(), EqualsMessage(first));
  // No id is not an id.
  const int64_t unnamed = store().CreateJob(other, "", 10).value().id();
  EXPECT_NE(store().CreateJob(other, "", 10).value().id(), unnamed);
  // A deleted job frees its request id.
  ASSERT_THAT(store().DeleteJob(first.id()), IsOk());
  EXPECT_EQ(store().CreateJob(other, "request", 10).value().model(), "other");
}

TEST_P(StoreContract, JobRequestedByManyAtOnceIsCreatedOnce) {
  AddData();
  std::vector<int64_t> ids(4);
  std::vector<std::thread> threads;
  threads.reserve(ids.size());
  for (int64_t& id : ids) {
    threads.emplace_back([&] { id = store().CreateJob(NewJob(), "request", 10).value().id(); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(ids, ElementsAre(1, 1, 1, 1));
  EXPECT_EQ(store().ListJobs({}, {}).value().items.size(), 1);
}

TEST_P(StoreContract, JobIdsAreNeverGivenAgain) {
  EXPECT_EQ(AddJob("model", v1::JOB_STATE_FAILED).id(), 1);
  EXPECT_EQ(AddJob("model", v1::JOB_STATE_FAILED).id(), 2);
  ASSERT_THAT(store().DeleteJob(2), IsOk());
  EXPECT_EQ(AddJob("model", v1::JOB_STATE_FAILED).id(), 3);
  ASSERT_THAT(store().DeleteJob(3), IsOk());
  ASSERT_THAT(store().DeleteJob(1), IsOk());
  Reopen();
  EXPECT_EQ(AddJob("model").id(), 4);
}

TEST_P(StoreContract, JobIsReplacedOnlyInTheExpectedState) {
  v1::TrainingJob job = AddJob("model");
  job.set_state(v1::JOB_STATE_RUNNING);
  job.set_attempts(1);
  job.mutable_start_time()->set_seconds(9);
  ASSERT_THAT(store().UpdateJob(job, v1::JOB_STATE_QUEUED), IsOk());
  EXPECT_THAT(store().GetJob(job.id()).value(), EqualsMessage(job));

  v1::TrainingJob cancelled = job;
  cancelled.set_state(v1::JOB_STATE_CANCELLED);
  EXPECT_THAT(store().UpdateJob(cancelled, v1::JOB_STATE_QUEUED),
              HasStatus(absl::StatusCode::kFailedPrecondition,
                        "expected state JOB_STATE_QUEUED, got JOB_STATE_RUNNING"));
  EXPECT_THAT(store().GetJob(job.id()).value(), EqualsMessage(job));
  // A job may be replaced within its state.
  job.set_message("still at it");
  ASSERT_THAT(store().UpdateJob(job, v1::JOB_STATE_RUNNING), IsOk());
  EXPECT_EQ(store().GetJob(job.id()).value().message(), "still at it");
}

TEST_P(StoreContract, JobIsDeletedOnlyOnceItHasEnded) {
  v1::TrainingJob job = AddJob("model");
  EXPECT_THAT(store().DeleteJob(job.id()),
              HasStatus(absl::StatusCode::kFailedPrecondition, "JOB_STATE_QUEUED"));
  job.set_state(v1::JOB_STATE_RUNNING);
  ASSERT_THAT(store().UpdateJob(job, v1::JOB_STATE_QUEUED), IsOk());
  EXPECT_THAT(store().DeleteJob(job.id()),
              HasStatus(absl::StatusCode::kFailedPrecondition, "JOB_STATE_RUNNING"));
  ASSERT_THAT(store().AppendProgress(job.id(), {MakePoint(0, 1.0)}), IsOk());
  job.set_state(v1::JOB_STATE_SUCCEEDED);
  ASSERT_THAT(store().UpdateJob(job, v1::JOB_STATE_RUNNING), IsOk());
  ASSERT_THAT(store().DeleteJob(job.id()), IsOk());
  EXPECT_THAT(store().GetJob(job.id()), HasStatus(absl::StatusCode::kNotFound, ""));
  EXPECT_THAT(store().ReadProgress(job.id(), 0, 10).value(), IsEmpty());
}

TEST_P(StoreContract, JobsAreListedNewestFirstInPagesThatHoldStill) {
  for (int i = 0; i < 6; ++i) AddJob("model", v1::JOB_STATE_FAILED);
  EXPECT_THAT(Ids(store().ListJobs({}, {}).value().items), ElementsAre(6, 5, 4, 3, 2, 1));
  const Page<v1::TrainingJob> first = store().ListJobs({.size = 2, .after = ""}, {}).value();
  EXPECT_THAT(Ids(first.items), ElementsAre(6, 5));
  EXPECT_EQ(first.next, "5");
  ASSERT_THAT(store().DeleteJob(5), IsOk());
  ASSERT_THAT(store().DeleteJob(3), IsOk());
  AddJob("model");
  const Page<v1::TrainingJob> second =
      store().ListJobs({.size = 2, .after = first.next}, {}).value();
  EXPECT_THAT(Ids(second.items), ElementsAre(4, 2));
  const Page<v1::TrainingJob> third =
      store().ListJobs({.size = 2, .after = second.next}, {}).value();
  EXPECT_THAT(Ids(third.items), ElementsAre(1));
  EXPECT_EQ(third.next, "");
  EXPECT_THAT(store().ListJobs({.size = 2, .after = "x"}, {}),
              HasStatus(absl::StatusCode::kInvalidArgument, "key"));
  EXPECT_THAT(store().ListJobs({.size = -1, .after = ""}, {}),
              HasStatus(absl::StatusCode::kInvalidArgument, "size"));
}

TEST_P(StoreContract, JobsAreListedByModelAndState) {
  AddJob("a");
  AddJob("b", v1::JOB_STATE_RUNNING);
  AddJob("a", v1::JOB_STATE_RUNNING);
  AddJob("a");
  const auto list = [this](const JobFilter& filter) {
    return Ids(store().ListJobs({}, filter).value().items);
  };
  EXPECT_THAT(list({.model = "a"}), ElementsAre(4, 3, 1));
  EXPECT_THAT(list({.model = "", .state = v1::JOB_STATE_RUNNING}), ElementsAre(3, 2));
  EXPECT_THAT(list({.model = "a", .state = v1::JOB_STATE_QUEUED}), ElementsAre(4, 1));
  EXPECT_THAT(list({.model = "c"}), IsEmpty());
  const Page<v1::TrainingJob> page =
      store().ListJobs({.size = 1, .after = "4"}, {.model = "a"}).value();
  EXPECT_THAT(Ids(page.items), ElementsAre(3));
  EXPECT_EQ(page.next, "3");
}

TEST_P(StoreContract, UnfinishedJobsComeOldestFirst) {
  AddJob("a", v1::JOB_STATE_SUCCEEDED);
  AddJob("a", v1::JOB_STATE_RUNNING);
  AddJob("a", v1::JOB_STATE_CANCELLED);
  AddJob("a");
  AddJob("a", v1::JOB_STATE_FAILED);
  Reopen();
  EXPECT_THAT(Ids(store().UnfinishedJobs().value()), ElementsAre(2, 4));
}

TEST_P(StoreContract, JobsAreCountedByState) {
  EXPECT_THAT(store().CountJobs().value(), ElementsAre(0, 0, 0, 0, 0, 0));
  AddJob("a");
  AddJob("a", v1::JOB_STATE_RUNNING);
  AddJob("a");
  AddJob("a", v1::JOB_STATE_CANCELLED);
  EXPECT_THAT(store().CountJobs().value(), ElementsAre(0, 2, 1, 0, 0, 1));
}

}  // namespace
}  // namespace mlp::testing

// What Store promises of models, versions and their artifacts.
#include <algorithm>
#include <thread>
#include <utility>

#include <absl/strings/str_cat.h>

#include "tests/server/store/store_contract.h"

namespace mlp::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<int64_t> Numbers(const Page<v1::ModelVersion>& page) {
  std::vector<int64_t> numbers;
  numbers.reserve(page.items.size());
  for (const v1::ModelVersion& version : page.items) numbers.push_back(version.version());
  return numbers;
}

// The hash is Python's: hashlib.sha256(b"artifact").
TEST_P(StoreContract, PublishStoresTheVersionAndEndsTheJob) {
  v1::TrainingJob job = AddJob("digits", v1::JOB_STATE_RUNNING);
  job.set_state(v1::JOB_STATE_SUCCEEDED);
  job.set_stop_reason(v1::STOP_REASON_CONVERGED);
  job.mutable_result()->set_iterations(17);
  NewVersion version;
  version.version.set_model("digits");
  version.version.set_parameters(10285);
  version.version.mutable_training()->set_final_cost(0.25);
  version.artifact = "artifact";
  const v1::ModelVersion published = store().PublishVersion(version, job).value();

  v1::ModelVersion expected = version.version;
  expected.set_version(1);
  expected.set_job_id(job.id());
  expected.mutable_create_time()->set_seconds(1'700'000'000);
  expected.mutable_training()->set_version(1);
  expected.set_artifact_bytes(8);
  expected.set_artifact_sha256("c7c5c1d70c5dec4416ab6158afd0b223ef40c29b1dc1f97ed9428b94d4cadb1c");
  EXPECT_THAT(published, EqualsMessage(expected));

  Reopen();
  EXPECT_THAT(store().GetVersion("digits", 1).value(), EqualsMessage(expected));
  EXPECT_EQ(store().ReadArtifact("digits", 1).value(), "artifact");
  job.mutable_result()->set_version(1);
  EXPECT_THAT(store().GetJob(job.id()).value(), EqualsMessage(job));
  v1::Model model;
  model.set_name("digits");
  model.set_latest_version(1);
  model.set_version_count(1);
  model.set_served_version(1);
  model.mutable_create_time()->set_seconds(1'700'000'000);
  EXPECT_THAT(store().GetModel("digits").value(), EqualsMessage(model));
}

TEST_P(StoreContract, PublishIsAllOrNothing) {
  NewVersion version;
  version.version.set_model("digits");
  version.artifact = "artifact";
  for (const v1::JobState state :
       {v1::JOB_STATE_QUEUED, v1::JOB_STATE_CANCELLED, v1::JOB_STATE_SUCCEEDED}) {
    const v1::TrainingJob stored = AddJob("digits", state);
    v1::TrainingJob job = stored;
    job.set_state(v1::JOB_STATE_SUCCEEDED);
    job.set_message("published");
    EXPECT_THAT(store().PublishVersion(version, job),
                HasStatus(absl::StatusCode::kFailedPrecondition, "JOB_STATE_RUNNING"));
    EXPECT_THAT(store().GetJob(job.id()).value(), EqualsMessage(stored));
  }
  v1::TrainingJob unknown;
  unknown.set_id(99);
  unknown.set_model("digits");
  EXPECT_THAT(store().PublishVersion(version, unknown),
              HasStatus(absl::StatusCode::kNotFound, "job 99"));
  const v1::TrainingJob other = AddJob("letters", v1::JOB_STATE_RUNNING);
  EXPECT_THAT(store().PublishVersion(version, other),
              HasStatus(absl::StatusCode::kInvalidArgument, "expected letters"));
  EXPECT_THAT(store().GetModel("digits"), HasStatus(absl::StatusCode::kNotFound, "model digits"));
  EXPECT_THAT(store().ListModels({}).value().items, IsEmpty());
  // Nor did any of them take a number.
  EXPECT_EQ(Publish("digits", "x").value().version(), 1);
}

TEST_P(StoreContract, PublishedArtifactsComeBackWhole) {
  std::string large(3'000'001, '\0');
  for (size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * i >> 7);
  for (const std::string& artifact : {large, std::string(1 << 20, 'x'), std::string()}) {
    const v1::ModelVersion version = Publish("digits", artifact).value();
    EXPECT_EQ(version.artifact_bytes(), static_cast<int64_t>(artifact.size()));
    EXPECT_TRUE(store().ReadArtifact("digits", version.version()).value() == artifact);
  }
}

TEST_P(StoreContract, PublishFromManyThreadsNumbersOneByOne) {
  std::vector<v1::TrainingJob> jobs;
  jobs.reserve(8);
  for (int i = 0; i < 8; ++i) jobs.push_back(AddJob("digits", v1::JOB_STATE_RUNNING));
  std::vector<std::thread> threads;
  threads.reserve(jobs.size());
  std::vector<int64_t> numbers(jobs.size());
  for (size_t i = 0; i < jobs.size(); ++i) {
    threads.emplace_back([this, i, &numbers, job = jobs[i]]() mutable {
      job.set_state(v1::JOB_STATE_SUCCEEDED);
      NewVersion version;
      version.version.set_model("digits");
      version.artifact = absl::StrCat("artifact of job ", job.id());
      numbers[i] = store().PublishVersion(std::move(version), job).value().version();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < jobs.size(); ++i) {
    EXPECT_EQ(store().ReadArtifact("digits", numbers[i]).value(),
              absl::StrCat("artifact of job ", jobs[i].id()));
    EXPECT_EQ(store().GetJob(jobs[i].id()).value().result().version(), numbers[i]);
  }
  std::sort(numbers.begin(), numbers.end());
  EXPECT_THAT(numbers, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
}

TEST_P(StoreContract, VersionNumbersAreNeverGivenAgain) {
  EXPECT_EQ(Publish("digits", "one").value().version(), 1);
  EXPECT_EQ(Publish("digits", "two").value().version(), 2);
  EXPECT_EQ(Publish("letters", "one").value().version(), 1);
  ASSERT_THAT(store().DeleteVersion("digits", 2), IsOk());
  EXPECT_EQ(Publish("digits", "three").value().version(), 3);
  Reopen();
  ASSERT_THAT(store().DeleteModel("digits"), IsOk());
  // Nor when the model comes again: somebody may still hold what digits@1 was.
  EXPECT_EQ(Publish("digits", "four").value().version(), 4);
  EXPECT_THAT(store().GetVersion("digits", 1), HasStatus(absl::StatusCode::kNotFound, "version 1"));
}

TEST_P(StoreContract, VersionZeroIsTheNewest) {
  ASSERT_THAT(Publish("digits", "one"), IsOk());
  ASSERT_THAT(Publish("digits", "two"), IsOk());
  EXPECT_EQ(store().GetVersion("digits", 0).value().version(), 2);
  ASSERT_THAT(store().DeleteVersion("digits", 2), IsOk());
  EXPECT_EQ(store().GetVersion("digits", 0).value().version(), 1);
  ASSERT_THAT(store().DeleteVersion("digits", 1), IsOk());
  EXPECT_THAT(store().GetVersion("digits", 0),
              HasStatus(absl::StatusCode::kNotFound, "no versions"));
}

TEST_P(StoreContract, VersionThatIsMissingIsNamed) {
  const auto not_found = [](const char* text) {
    return HasStatus(absl::StatusCode::kNotFound, text);
  };
  EXPECT_THAT(store().GetModel("digits"), not_found("model digits: not found"));
  EXPECT_THAT(store().GetVersion("digits", 0), not_found("model digits: not found"));
  EXPECT_THAT(store().GetVersion("digits", 1), not_found("model digits: not found"));
  EXPECT_THAT(store().ListVersions("digits", {}), not_found("model digits: not found"));
  EXPECT_THAT(store().DeleteModel("digits"), not_found("model digits: not found"));
  EXPECT_THAT(store().DeleteVersion("digits", 1), not_found("model digits: not found"));
  EXPECT_THAT(store().ReadArtifact("digits", 1), not_found("model digits: not found"));
  ASSERT_THAT(Publish("digits", "one"), IsOk());
  EXPECT_THAT(store().GetVersion("digits", 2), not_found("model digits version 2: not found"));
  EXPECT_THAT(store().DeleteVersion("digits", 2), not_found("model digits version 2: not found"));
  EXPECT_THAT(store().ReadArtifact("digits", 2), not_found("model digits version 2: not found"));
  // 0 stands for the newest in GetVersion alone.
  EXPECT_THAT(store().DeleteVersion("digits", 0), not_found("version 0"));
  EXPECT_THAT(store().ReadArtifact("digits", 0), not_found("version 0"));
}

TEST_P(StoreContract, ModelCountsItsVersions) {
  for (int i = 0; i < 3; ++i) ASSERT_THAT(Publish("digits", "x"), IsOk());
  ASSERT_THAT(store().DeleteVersion("digits", 3), IsOk());
  EXPECT_EQ(store().GetModel("digits").value().latest_version(), 2);
  EXPECT_EQ(store().GetModel("digits").value().version_count(), 2);
  ASSERT_THAT(store().DeleteVersion("digits", 1), IsOk());
  ASSERT_THAT(store().DeleteVersion("digits", 2), IsOk());
  EXPECT_EQ(store().GetModel("digits").value().latest_version(), 0);
  EXPECT_EQ(store().GetModel("digits").value().version_count(), 0);
  EXPECT_THAT(store().ListVersions("digits", {}).value().items, IsEmpty());
}

TEST_P(StoreContract, ModelIsGoneWithItsVersionsOnceDeleted) {
  ASSERT_THAT(Publish("digits", "one"), IsOk());
  ASSERT_THAT(Publish("letters", "two"), IsOk());
  ASSERT_THAT(store().DeleteModel("digits"), IsOk());
  EXPECT_THAT(store().GetModel("digits"), HasStatus(absl::StatusCode::kNotFound, ""));
  EXPECT_THAT(store().GetVersion("digits", 1), HasStatus(absl::StatusCode::kNotFound, ""));
  EXPECT_THAT(store().ReadArtifact("digits", 1), HasStatus(absl::StatusCode::kNotFound, ""));
  EXPECT_THAT(store().DeleteModel("digits"), HasStatus(absl::StatusCode::kNotFound, ""));
  EXPECT_EQ(store().ReadArtifact("letters", 1).value(), "two");
  // A new model under the name is a new one.
  clock_.Advance(absl::Seconds(60));
  ASSERT_THAT(Publish("digits", "three"), IsOk());
  EXPECT_EQ(store().GetModel("digits").value().create_time().seconds(), 1'700'000'060);
  EXPECT_EQ(store().GetModel("digits").value().version_count(), 1);
}

TEST_P(StoreContract, ServingSettingsStayWithTheModel) {
  ASSERT_THAT(Publish("digits", "one"), IsOk());
  ASSERT_THAT(Publish("letters", "two"), IsOk());
  v1::Model expected = store().GetModel("digits").value();
  EXPECT_FALSE(expected.has_serving());
  v1::ServingSettings& settings = *expected.mutable_serving();
  settings.set_max_batch_rows(64);
  settings.set_queue_delay_us(250);
  settings.set_max_queued_requests(10);
  EXPECT_THAT(store().SetServingSettings("digits", settings).value(), EqualsMessage(expected));
  Reopen();
  EXPECT_THAT(store().GetModel("digits").value(), EqualsMessage(expected));
  EXPECT_THAT(store().ListModels({}).value().items[0], EqualsMessage(expected));
  EXPECT_FALSE(store().GetModel("letters").value().has_serving());
  // A new version changes nothing about them.
  ASSERT_THAT(Publish("digits", "three"), IsOk());
  expected.set_latest_version(2);
  expected.set_version_count(2);
  expected.set_served_version(2);
  EXPECT_THAT(store().GetModel("digits").value(), EqualsMessage(expected));
  // They are replaced as a whole; none are the defaults.
  settings.Clear();
  settings.set_queue_delay_us(1);
  EXPECT_THAT(store().SetServingSettings("digits", settings).value(), EqualsMessage(expected));
  EXPECT_THAT(store().GetModel("digits").value(), EqualsMessage(expected));
  expected.clear_serving();
  EXPECT_THAT(store().SetServingSettings("digits", {}).value(), EqualsMessage(expected));
  EXPECT_THAT(store().GetModel("digits").value(), EqualsMessage(expected));
}

TEST_P(StoreContract, ServingSettingsGoWithTheModel) {
  v1::ServingSettings settings;
  settings.set_max_batch_rows(1);
  EXPECT_THAT(store().SetServingSettings("digits", settings),
              HasStatus(absl::StatusCode::kNotFound, "model digits: not found"));
  ASSERT_THAT(Publish("digits", "one"), IsOk());
  ASSERT_THAT(store().SetServingSettings("digits", settings), IsOk());
  ASSERT_THAT(store().DeleteModel("digits"), IsOk());
  EXPECT_THAT(store().SetServingSettings("digits", settings),
              HasStatus(absl::StatusCode::kNotFound, "model digits: not found"));
  ASSERT_THAT(Publish("digits", "two"), IsOk());
  EXPECT_FALSE(store().GetModel("digits").value().has_serving());
}

// A job of model "other" that starts from `reference`.
v1::TrainingJob StartingFrom(const std::string& reference) {
  v1::TrainingJob job;
  job.set_model("other");
  job.set_dataset("data");
  job.mutable_config()->set_initial_model(reference);
  return job;
}

TEST_P(StoreContract, VersionThatAJobStartsFromStaysUntilTheJobHasEnded) {
  for (int i = 0; i < 2; ++i) ASSERT_THAT(Publish("digits", "x"), IsOk());
  ASSERT_THAT(Publish("digit", "x"), IsOk());
  v1::TrainingJob job = store().CreateJob(StartingFrom("digits@2"), "", 10).value();
  for (const v1::JobState state : {v1::JOB_STATE_RUNNING, v1::JOB_STATE_FAILED}) {
    const std::string needed = absl::StrCat("model digits@2: job ", job.id(), " starts from it");
    EXPECT_THAT(store().DeleteVersion("digits", 2),
                HasStatus(absl::StatusCode::kFailedPrecondition, needed));
    EXPECT_THAT(store().DeleteModel("digits"),
                HasStatus(absl::StatusCode::kFailedPrecondition, needed));
    const v1::JobState before = job.state();
    job.set_state(state);
    ASSERT_THAT(store().UpdateJob(job, before), IsOk());
  }
  EXPECT_THAT(store().DeleteVersion("digits", 2), IsOk());
  EXPECT_THAT(store().DeleteModel("digits"), IsOk());
}

TEST_P(StoreContract, OtherVersionsAndModelsThanAJobStartsFromCanBeDeleted) {
  for (int i = 0; i < 2; ++i) ASSERT_THAT(Publish("digits", "x"), IsOk());
  ASSERT_THAT(Publish("digit", "x"), IsOk());
  ASSERT_THAT(store().CreateJob(StartingFrom("digits@2"), "", 10), IsOk());
  EXPECT_THAT(store().DeleteVersion("digits", 1), IsOk());
  EXPECT_THAT(store().DeleteModel("digit"), IsOk());
}

TEST_P(StoreContract, JobNeedsTheVersionThatItStartsFrom) {
  ASSERT_THAT(Publish("digits", "x"), IsOk());
  EXPECT_THAT(store().CreateJob(StartingFrom("digits@2"), "", 10),
              HasStatus(absl::StatusCode::kNotFound, "model digits version 2"));
  EXPECT_THAT(store().CreateJob(StartingFrom("letters@1"), "", 10),
              HasStatus(absl::StatusCode::kNotFound, "model letters"));
  EXPECT_THAT(store().CreateJob(StartingFrom("digits"), "", 10),
              HasStatus(absl::StatusCode::kInvalidArgument, "expected NAME@VERSION, got digits"));
  EXPECT_EQ(store().ListJobs({}, {}).value().items.size(), 1);  // the one that published
}

TEST_P(StoreContract, ModelsAreListedByName) {
  for (const char* name : {"c", "a.b-c_1", "b"}) ASSERT_THAT(Publish(name, "x"), IsOk());
  ASSERT_THAT(Publish("b", "x"), IsOk());
  const Page<v1::Model> first = store().ListModels({.size = 2, .after = ""}).value();
  ASSERT_EQ(first.items.size(), 2);
  EXPECT_EQ(first.items[0].name(), "a.b-c_1");
  EXPECT_EQ(first.items[1].name(), "b");
  EXPECT_EQ(first.items[1].latest_version(), 2);
  EXPECT_EQ(first.next, "b");
  ASSERT_THAT(store().DeleteModel("b"), IsOk());
  const Page<v1::Model> second = store().ListModels({.size = 2, .after = first.next}).value();
  ASSERT_EQ(second.items.size(), 1);
  EXPECT_EQ(second.items[0].name(), "c");
  EXPECT_EQ(second.next, "");
}

TEST_P(StoreContract, VersionsAreListedNewestFirst) {
  for (int i = 0; i < 5; ++i) ASSERT_THAT(Publish("digits", "x"), IsOk());
  ASSERT_THAT(Publish("letters", "x"), IsOk());
  EXPECT_THAT(Numbers(store().ListVersions("digits", {}).value()), ElementsAre(5, 4, 3, 2, 1));
  const Page<v1::ModelVersion> first =
      store().ListVersions("digits", {.size = 2, .after = ""}).value();
  EXPECT_THAT(Numbers(first), ElementsAre(5, 4));
  ASSERT_THAT(store().DeleteVersion("digits", 4), IsOk());
  ASSERT_THAT(store().DeleteVersion("digits", 2), IsOk());
  ASSERT_THAT(Publish("digits", "x"), IsOk());
  const Page<v1::ModelVersion> second =
      store().ListVersions("digits", {.size = 2, .after = first.next}).value();
  EXPECT_THAT(Numbers(second), ElementsAre(3, 1));
  EXPECT_EQ(second.next, "");
  EXPECT_THAT(store().ListVersions("digits", {.size = 2, .after = "1x"}),
              HasStatus(absl::StatusCode::kInvalidArgument, "key"));
}

}  // namespace
}  // namespace mlp::testing

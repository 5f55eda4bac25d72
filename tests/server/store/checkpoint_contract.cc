// What Store promises of checkpoints.
#include <atomic>
#include <string>
#include <thread>

#include <absl/strings/str_cat.h>

#include "tests/server/store/store_contract.h"

namespace mlp::testing {
namespace {

// Bytes of several pieces that tell where they belong.
std::string LongBytes(char seed, size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(seed + i * i / 1000);
  return bytes;
}

TEST_P(StoreContract, CheckpointSurvivesReopeningToTheBit) {
  const int64_t id = AddJob("model", v1::JOB_STATE_RUNNING).id();
  for (const size_t size : {size_t{1}, size_t{1} << 20, (size_t{5} << 20) + 3}) {
    const std::string bytes = LongBytes('a', size);
    ASSERT_THAT(store().SaveCheckpoint(id, bytes), IsOk());
    Reopen();
    EXPECT_TRUE(store().ReadCheckpoint(id, 0).value() == bytes) << size;
  }
}

TEST_P(StoreContract, CheckpointsAreKeptTwoDeepNewestFirst) {
  const int64_t id = AddJob("model", v1::JOB_STATE_RUNNING).id();
  EXPECT_THAT(store().ReadCheckpoint(id, 0), HasStatus(absl::StatusCode::kNotFound, "job 1"));
  for (const char* bytes : {"one", "two", "three"}) {
    ASSERT_THAT(store().SaveCheckpoint(id, bytes), IsOk());
  }
  EXPECT_EQ(store().ReadCheckpoint(id, 0).value(), "three");
  EXPECT_EQ(store().ReadCheckpoint(id, 1).value(), "two");
  EXPECT_THAT(store().ReadCheckpoint(id, 2), HasStatus(absl::StatusCode::kNotFound, "job 1"));
}

TEST_P(StoreContract, CheckpointSetsTheCrashesOfItsJobBackAndNothingElse) {
  v1::TrainingJob job = AddJob("model", v1::JOB_STATE_RUNNING);
  job.set_crashes(2);
  job.set_attempts(5);
  ASSERT_THAT(store().UpdateJob(job, v1::JOB_STATE_RUNNING), IsOk());
  v1::TrainingJob other = AddJob("model", v1::JOB_STATE_RUNNING);
  other.set_crashes(1);
  ASSERT_THAT(store().UpdateJob(other, v1::JOB_STATE_RUNNING), IsOk());
  ASSERT_THAT(store().SaveCheckpoint(job.id(), "bytes"), IsOk());
  job.clear_crashes();
  EXPECT_THAT(store().GetJob(job.id()).value(), EqualsMessage(job));
  EXPECT_THAT(store().GetJob(other.id()).value(), EqualsMessage(other));
}

TEST_P(StoreContract, CheckpointsOfJobsDoNotMix) {
  const int64_t first = AddJob("model", v1::JOB_STATE_RUNNING).id();
  const int64_t second = AddJob("model", v1::JOB_STATE_RUNNING).id();
  ASSERT_THAT(store().SaveCheckpoint(first, "first"), IsOk());
  ASSERT_THAT(store().SaveCheckpoint(second, "second"), IsOk());
  EXPECT_EQ(store().ReadCheckpoint(first, 0).value(), "first");
  EXPECT_THAT(store().ReadCheckpoint(first, 1), HasStatus(absl::StatusCode::kNotFound, ""));
  EXPECT_EQ(store().ReadCheckpoint(second, 0).value(), "second");
}

TEST_P(StoreContract, CheckpointIsOfARunningJobAlone) {
  EXPECT_THAT(store().SaveCheckpoint(7, "x"), HasStatus(absl::StatusCode::kNotFound, "job 7"));
  for (const v1::JobState state : {v1::JOB_STATE_QUEUED, v1::JOB_STATE_SUCCEEDED}) {
    const int64_t id = AddJob("model", state).id();
    EXPECT_THAT(store().SaveCheckpoint(id, "x"),
                HasStatus(absl::StatusCode::kFailedPrecondition, absl::StrCat("job ", id)));
    EXPECT_THAT(store().ReadCheckpoint(id, 0), HasStatus(absl::StatusCode::kNotFound, ""));
  }
}

TEST_P(StoreContract, CheckpointsOutliveAReturnToTheQueue) {
  v1::TrainingJob job = AddJob("model", v1::JOB_STATE_RUNNING);
  ASSERT_THAT(store().SaveCheckpoint(job.id(), "bytes"), IsOk());
  job.set_state(v1::JOB_STATE_QUEUED);
  ASSERT_THAT(store().UpdateJob(job, v1::JOB_STATE_RUNNING), IsOk());
  EXPECT_EQ(store().ReadCheckpoint(job.id(), 0).value(), "bytes");
}

TEST_P(StoreContract, CheckpointsGoWithTheEndOfTheirJob) {
  for (const v1::JobState state : {v1::JOB_STATE_FAILED, v1::JOB_STATE_CANCELLED}) {
    v1::TrainingJob job = AddJob("model", v1::JOB_STATE_RUNNING);
    ASSERT_THAT(store().SaveCheckpoint(job.id(), "bytes"), IsOk());
    job.set_state(state);
    ASSERT_THAT(store().UpdateJob(job, v1::JOB_STATE_RUNNING), IsOk());
    EXPECT_THAT(store().ReadCheckpoint(job.id(), 0), HasStatus(absl::StatusCode::kNotFound, ""));
  }
  v1::TrainingJob job = AddJob("model", v1::JOB_STATE_RUNNING);
  ASSERT_THAT(store().SaveCheckpoint(job.id(), "bytes"), IsOk());
  job.set_state(v1::JOB_STATE_SUCCEEDED);
  NewVersion version;
  version.version.set_model("model");
  version.artifact = "artifact";
  ASSERT_THAT(store().PublishVersion(version, job), IsOk());
  EXPECT_THAT(store().ReadCheckpoint(job.id(), 0), HasStatus(absl::StatusCode::kNotFound, ""));
  EXPECT_THAT(store().DeleteJob(job.id()), IsOk());
}

TEST_P(StoreContract, KeptWeightsStayWithAJobThatEndsWithoutAVersionUntilItIsDeleted) {
  const std::string bytes = LongBytes('w', (size_t{2} << 20) + 1);
  for (const v1::JobState state : {v1::JOB_STATE_FAILED, v1::JOB_STATE_CANCELLED}) {
    v1::TrainingJob job = AddJob("model", v1::JOB_STATE_RUNNING);
    EXPECT_THAT(store().ReadKeptWeights(job.id()),
                HasStatus(absl::StatusCode::kNotFound, "has kept no weights"));
    ASSERT_THAT(store().SaveCheckpoint(job.id(), "checkpoint"), IsOk());
    ASSERT_THAT(store().SaveKeptWeights(job.id(), "older"), IsOk());
    ASSERT_THAT(store().SaveKeptWeights(job.id(), bytes), IsOk());
    EXPECT_EQ(store().ReadCheckpoint(job.id(), 0).value(), "checkpoint");
    job.set_state(state);
    ASSERT_THAT(store().UpdateJob(job, v1::JOB_STATE_RUNNING), IsOk());
    Reopen();
    EXPECT_TRUE(store().ReadKeptWeights(job.id()).value() == bytes);
    EXPECT_THAT(store().ReadCheckpoint(job.id(), 0), HasStatus(absl::StatusCode::kNotFound, ""));
    ASSERT_THAT(store().DeleteJob(job.id()), IsOk());
    EXPECT_THAT(store().ReadKeptWeights(job.id()), HasStatus(absl::StatusCode::kNotFound, ""));
  }
}

TEST_P(StoreContract, KeptWeightsAreOfARunningJobAndGoWithAVersion) {
  v1::TrainingJob job = AddJob("model");
  EXPECT_THAT(store().SaveKeptWeights(job.id(), "x"),
              HasStatus(absl::StatusCode::kFailedPrecondition, "expected a job that runs"));
  job = AddJob("model", v1::JOB_STATE_RUNNING);
  ASSERT_THAT(store().SaveKeptWeights(job.id(), "weights"), IsOk());
  job.set_state(v1::JOB_STATE_SUCCEEDED);
  NewVersion version;
  version.version.set_model("model");
  ASSERT_THAT(store().PublishVersion(version, job), IsOk());
  EXPECT_THAT(store().ReadKeptWeights(job.id()), HasStatus(absl::StatusCode::kNotFound, ""));
}

TEST_P(StoreContract, KeptWeightsAreThereAsLongAsAJobIsToStartFromThem) {
  v1::TrainingJob source = AddJob("model", v1::JOB_STATE_RUNNING);
  v1::TrainingJob job;
  job.set_model("model");
  job.set_dataset("data");
  job.mutable_config()->set_initial_model("job/1");
  EXPECT_THAT(store().CreateJob(job, "", 10),
              HasStatus(absl::StatusCode::kNotFound, "job 1: has kept no weights"));
  ASSERT_THAT(store().SaveKeptWeights(source.id(), "weights"), IsOk());
  source.set_state(v1::JOB_STATE_CANCELLED);
  ASSERT_THAT(store().UpdateJob(source, v1::JOB_STATE_RUNNING), IsOk());
  job = store().CreateJob(job, "", 10).value();
  EXPECT_THAT(store().DeleteJob(1), HasStatus(absl::StatusCode::kFailedPrecondition,
                                              "job 1: job 2 starts from its weights"));
  job.set_state(v1::JOB_STATE_CANCELLED);
  ASSERT_THAT(store().UpdateJob(job, v1::JOB_STATE_QUEUED), IsOk());
  EXPECT_THAT(store().DeleteJob(1), IsOk());
}

// Others are heard between the pieces of a long checkpoint.
TEST_P(StoreContract, CheckpointDoesNotKeepOtherWritersOut) {
  const int64_t id = AddJob("model", v1::JOB_STATE_RUNNING).id();
  const int64_t other = AddJob("model", v1::JOB_STATE_RUNNING).id();
  const std::string bytes = LongBytes('a', size_t{64} << 20);
  std::atomic<bool> saved = false;
  std::thread saving([&] {
    EXPECT_THAT(store().SaveCheckpoint(id, bytes), IsOk());
    saved = true;
  });
  int appended = 0;
  while (!saved) {
    EXPECT_THAT(store().AppendProgress(other, {MakePoint(appended, 1)}), IsOk());
    ++appended;
  }
  saving.join();
  EXPECT_GT(appended, 1);
  EXPECT_TRUE(store().ReadCheckpoint(id, 0).value() == bytes);
}

}  // namespace
}  // namespace mlp::testing

// Jobs over the end of a server: found RUNNING or QUEUED by the next one. What they go on from is
// in resume_test.cc.
#include <string>
#include <vector>

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/jobs/job_fixture.h"

namespace mlp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Restart : public JobFixture {
 protected:
  // A job as a server that was killed leaves it, started `attempts` times, and found `crashes`
  // times so.
  v1::TrainingJob LeaveRunning(int attempts, int crashes = 0) {
    v1::TrainingJob job = *store().CreateJob(NewJob("digits", 1), "", 10);
    job.set_state(v1::JOB_STATE_RUNNING);
    job.set_attempts(attempts);
    job.set_crashes(crashes);
    EXPECT_TRUE(store().UpdateJob(job, v1::JOB_STATE_QUEUED).ok());
    return job;
  }

  SteppedTrainer trainer_;
};

TEST_F(Restart, AJobWhoseCancelWasAcknowledgedIsNotTakenUpAgain) {
  v1::TrainingJob job = LeaveRunning(1);
  job.set_cancel_requested(true);
  ASSERT_TRUE(store().UpdateJob(job, v1::JOB_STATE_RUNNING).ok());
  const auto scheduler = StartScheduler(Options());
  const v1::TrainingJob stored = *store().GetJob(job.id());
  EXPECT_EQ(stored.state(), v1::JOB_STATE_CANCELLED);
  EXPECT_EQ(stored.stop_reason(), v1::STOP_REASON_CANCELLED);
  EXPECT_EQ(stored.attempts(), 1);
}

TEST_F(Restart, AJobFoundRunningIsTrainedAgain) {
  const v1::TrainingJob left = LeaveRunning(2);
  JobSchedulerOptions options = Options();
  options.train = trainer_.Function(2);
  const auto scheduler = StartScheduler(options);
  trainer_.AwaitStep(1, -1);
  EXPECT_EQ(store().GetJob(left.id())->message(), "start 3, after a restart of the server");
  trainer_.Allow(1, 2);
  const v1::TrainingJob job = AwaitEnd(*scheduler, left.id());
  EXPECT_EQ(job.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(job.attempts(), 3);
  EXPECT_THAT(trainer_.started(), ElementsAre(1));
}

TEST_F(Restart, AJobThatMayHaveEndedTheServerIsGivenUp) {
  const v1::TrainingJob left = LeaveRunning(7, 2);
  const std::vector<ProgressPoint> points = {{.iteration = 0, .cost = 0.9},
                                             {.iteration = 1, .cost = 0.55}};
  ASSERT_TRUE(store().AppendProgress(left.id(), points).ok());
  JobSchedulerOptions options = Options();
  options.train = trainer_.Function(2);
  const auto scheduler = StartScheduler(options);
  const v1::TrainingJob job = *store().GetJob(left.id());
  EXPECT_EQ(job.state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(job.stop_reason(), v1::STOP_REASON_ERROR);
  EXPECT_THAT(job.message(), HasSubstr("the server ended 3 times in a row"));
  EXPECT_THAT(job.message(), HasSubstr("create the job again"));
  EXPECT_EQ(job.crashes(), 3);
  EXPECT_EQ(job.result().iterations(), 1);
  EXPECT_EQ(job.result().initial_cost(), 0.9);
  EXPECT_EQ(job.result().final_cost(), 0.55);
  EXPECT_TRUE(job.has_end_time());
  scheduler->Stop();
  EXPECT_THAT(trainer_.started(), ElementsAre());
}

TEST_F(Restart, AnyNumberOfStartsIsNoReasonToGiveUp) {
  const v1::TrainingJob left = LeaveRunning(100);
  JobSchedulerOptions options = Options();
  options.train = trainer_.Function(0);
  trainer_.Allow(1, 0);
  const auto scheduler = StartScheduler(options);
  EXPECT_EQ(AwaitEnd(*scheduler, left.id()).state(), v1::JOB_STATE_SUCCEEDED);
}

TEST_F(Restart, ACleanStopSetsTheCrashesBack) {
  const v1::TrainingJob left = LeaveRunning(2, 1);
  JobSchedulerOptions options = Options();
  options.train = trainer_.Function(5);
  const auto scheduler = StartScheduler(options);
  trainer_.AwaitStep(1, -1);
  EXPECT_EQ(store().GetJob(left.id())->crashes(), 2);
  scheduler->Stop();
  const v1::TrainingJob job = *store().GetJob(left.id());
  EXPECT_EQ(job.state(), v1::JOB_STATE_QUEUED);
  EXPECT_EQ(job.crashes(), 0);
}

TEST_F(Restart, ACheckpointSetsTheCrashesBack) {
  const v1::TrainingJob left = LeaveRunning(3, 2);
  ASSERT_TRUE(store().SaveCheckpoint(left.id(), "bytes").ok());
  EXPECT_EQ(store().GetJob(left.id())->crashes(), 0);
  JobSchedulerOptions options = Options();
  options.train = trainer_.Function(0);
  trainer_.Allow(1, 0);
  const auto scheduler = StartScheduler(options);
  EXPECT_EQ(AwaitEnd(*scheduler, left.id()).state(), v1::JOB_STATE_SUCCEEDED);
}

TEST_F(Restart, QueuedJobsAreTakenUpInTheirOrder) {
  std::vector<int64_t> ids;
  for (const int64_t seed : {30, 10, 20}) {
    ids.push_back(store().CreateJob(NewJob("digits", seed), "", 10)->id());
    trainer_.Allow(seed, 0);
  }
  JobSchedulerOptions options = Options();
  options.train = trainer_.Function(0);
  const auto scheduler = StartScheduler(options);
  for (const int64_t id : ids) {
    EXPECT_EQ(AwaitEnd(*scheduler, id).state(), v1::JOB_STATE_SUCCEEDED);
  }
  EXPECT_THAT(trainer_.started(), ElementsAre(30, 10, 20));
}

TEST_F(Restart, EndedJobsAreLeftAlone) {
  JobSchedulerOptions options = Options();
  options.train = trainer_.Function(0);
  trainer_.Allow(1, 0);
  int64_t id = 0;
  {
    const auto scheduler = StartScheduler(options);
    id = Submit(*scheduler, "digits", 1);
    AwaitEnd(*scheduler, id);
  }
  const std::string before = store().GetJob(id)->SerializeAsString();
  const auto scheduler = StartScheduler(options);
  scheduler->Stop();
  EXPECT_EQ(store().GetJob(id)->SerializeAsString(), before);
  EXPECT_THAT(trainer_.started(), ElementsAre(1));
}

TEST_F(Restart, ACancelThatCameBeforeTheStopIsKept) {
  JobSchedulerOptions options = Options();
  options.train = trainer_.Function(5);
  const auto scheduler = StartScheduler(options);
  const int64_t id = Submit(*scheduler, "digits", 1);
  trainer_.AwaitStep(1, -1);
  ASSERT_TRUE(scheduler->Cancel(id).ok());
  scheduler->Stop();
  EXPECT_EQ(store().GetJob(id)->state(), v1::JOB_STATE_CANCELLED);
}

}  // namespace
}  // namespace mlp

// Jobs over the end of a server: stopped cleanly, or found RUNNING by the next one.
#include <string>
#include <vector>

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/train/trainer.h"
#include "tests/server/jobs/job_fixture.h"

namespace mlp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Restart : public JobFixture {
 protected:
  // A job as a server that was killed leaves it, started `attempts` times.
  v1::TrainingJob LeaveRunning(int attempts) {
    v1::TrainingJob job = *store().CreateJob(NewJob("digits", 1), "", 10);
    job.set_state(v1::JOB_STATE_RUNNING);
    job.set_attempts(attempts);
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

// Passes everything on; after `at` points it waits until it is asked to stop.
class StopAt final : public ProgressObserver {
 public:
  StopAt(ProgressObserver& observer, int at, std::stop_token stop, absl::Mutex& mutex,
         bool& reached)
      : observer_(observer), at_(at), stop_(std::move(stop)), mutex_(mutex), reached_(reached) {}

  void OnProgress(const ProgressPoint& point) override {
    observer_.OnProgress(point);
    if (point.iteration != at_) return;
    const std::stop_callback wake(stop_, [this] { absl::MutexLock lock(&mutex_); });
    absl::MutexLock lock(&mutex_);
    reached_ = true;
    mutex_.Await(absl::Condition(
        +[](std::stop_token* stop) { return stop->stop_requested(); }, &stop_));
  }

 private:
  ProgressObserver& observer_;
  const int at_;
  std::stop_token stop_;
  absl::Mutex& mutex_;
  bool& reached_;
};

TEST_F(Restart, AJobStoppedHalfWayEndsWithTheBitsOfAnUndisturbedOne) {
  // Undisturbed.
  std::string expected_artifact;
  std::vector<ProgressPoint> expected;
  {
    const auto scheduler = StartScheduler(Options());
    const Watched watched = WatchToEnd(*scheduler, Submit(*scheduler, "digits", 5), 0);
    ASSERT_EQ(watched.ended.state(), v1::JOB_STATE_SUCCEEDED) << watched.ended.message();
    expected = watched.points;
    expected_artifact = *store().ReadArtifact("digits", 1);
  }
  ASSERT_GT(expected.size(), 8u);

  // Stopped at iteration 5.
  int64_t id = 0;
  {
    absl::Mutex mutex;
    bool reached = false;
    JobSchedulerOptions options = Options();
    options.train = [&](const Dataset& dataset, const TrainingConfig& config,
                        const TrainingContext& context) {
      StopAt stop_at(*context.observer, 5, context.stop, mutex, reached);
      TrainingContext watched = context;
      watched.observer = &stop_at;
      return Train(dataset, config, watched);
    };
    const auto scheduler = StartScheduler(options);
    id = Submit(*scheduler, "digits", 5);
    {
      absl::MutexLock lock(&mutex);
      mutex.Await(absl::Condition(&reached));
    }
    scheduler->Stop();
    const v1::TrainingJob job = *store().GetJob(id);
    EXPECT_EQ(job.state(), v1::JOB_STATE_QUEUED);
    EXPECT_THAT(job.message(), HasSubstr("queued again: the server was stopped at iteration"));
    EXPECT_FALSE(job.has_result());
    EXPECT_GE(store().ReadProgress(id, 0, 100)->size(), 6u);
  }

  // Taken up again.
  const auto scheduler = StartScheduler(Options());
  const Watched watched = WatchToEnd(*scheduler, id, 0);
  EXPECT_EQ(watched.ended.state(), v1::JOB_STATE_SUCCEEDED) << watched.ended.message();
  EXPECT_EQ(watched.ended.attempts(), 2);
  EXPECT_EQ(watched.ended.result().version(), 2);
  ASSERT_EQ(Iterations(watched.points), Iterations(expected));
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(watched.points[i].cost, expected[i].cost) << "iteration " << i;
    EXPECT_EQ(watched.points[i].gradient_norm, expected[i].gradient_norm) << "iteration " << i;
  }
  EXPECT_TRUE(*store().ReadArtifact("digits", 2) == expected_artifact);
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
  const v1::TrainingJob left = LeaveRunning(3);
  JobSchedulerOptions options = Options();
  options.train = trainer_.Function(2);
  const auto scheduler = StartScheduler(options);
  const v1::TrainingJob job = *store().GetJob(left.id());
  EXPECT_EQ(job.state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(job.stop_reason(), v1::STOP_REASON_ERROR);
  EXPECT_THAT(job.message(), HasSubstr("had been started 3 times"));
  EXPECT_TRUE(job.has_end_time());
  scheduler->Stop();
  EXPECT_THAT(trainer_.started(), ElementsAre());
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

// What JobScheduler::SetLimits changes while jobs run and wait.
#include <algorithm>
#include <atomic>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/jobs/scheduler.h"
#include "tests/server/jobs/forwarding_store.h"
#include "tests/server/jobs/job_fixture.h"

namespace mlp {
namespace {

using ::testing::ElementsAre;

class Limits : public JobFixture {
 protected:
  JobSchedulerOptions SteppedOptions() {
    JobSchedulerOptions options = Options();
    options.train = trainer_.Function(0);
    return options;
  }
  static JobLimits RunningAtMost(int jobs) {
    JobLimits limits;
    limits.max_running_jobs = jobs;
    return limits;
  }

  SteppedTrainer trainer_;
};

TEST_F(Limits, TheQueueIsAsLongAsWasSaidLast) {
  const auto scheduler = StartScheduler(SteppedOptions());
  Submit(*scheduler, "digits", 1);
  trainer_.AwaitStep(1, -1);  // runs, so it is not in the queue any more
  for (const int64_t seed : {2, 3}) Submit(*scheduler, "digits", seed);
  JobLimits limits = RunningAtMost(1);
  limits.max_queued_jobs = 1;
  scheduler->SetLimits(limits);
  EXPECT_TRUE(absl::IsResourceExhausted(scheduler->Submit(NewJob("digits", 4), "").status()));
  limits.max_queued_jobs = 3;
  scheduler->SetLimits(limits);
  Submit(*scheduler, "digits", 4);
  EXPECT_TRUE(absl::IsResourceExhausted(scheduler->Submit(NewJob("digits", 5), "").status()));
}

TEST_F(Limits, AJobThatWaitsRunsAsSoonAsMoreMay) {
  const auto scheduler = StartScheduler(SteppedOptions());
  const int64_t first = Submit(*scheduler, "digits", 1);
  trainer_.AwaitStep(1, -1);
  const int64_t second = Submit(*scheduler, "digits", 2);
  scheduler->SetLimits(RunningAtMost(2));
  trainer_.AwaitStep(2, -1);
  trainer_.Allow(2, 0);
  EXPECT_EQ(AwaitEnd(*scheduler, second).state(), v1::JOB_STATE_SUCCEEDED);
  trainer_.Allow(1, 0);
  EXPECT_EQ(AwaitEnd(*scheduler, first).state(), v1::JOB_STATE_SUCCEEDED);
}

TEST_F(Limits, BeforeTheFirstJobTheyHoldFromTheStart) {
  JobSchedulerOptions options = SteppedOptions();
  options.paused = true;
  const auto scheduler = StartScheduler(options);
  scheduler->SetLimits(RunningAtMost(2));
  for (const int64_t seed : {1, 2}) Submit(*scheduler, "digits", seed);
  scheduler->Resume();
  for (const int64_t seed : {1, 2}) trainer_.AwaitStep(seed, -1);
}

TEST_F(Limits, AfterStopNothingRuns) {
  const auto scheduler = StartScheduler(SteppedOptions());
  scheduler->Stop();
  scheduler->SetLimits(RunningAtMost(8));
  EXPECT_THAT(trainer_.started(), ElementsAre());
}

TEST_F(Limits, NoMoreRunAtOnceThanWasSaidLast) {
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  JobSchedulerOptions options = Options();
  options.limits.max_running_jobs = 4;
  options.train = [&](const Dataset& dataset, const TrainingConfig& config,
                      const TrainingContext& context) {
    const int now = ++running;
    int before = most;
    while (before < now && !most.compare_exchange_weak(before, now)) {
    }
    auto outcome = Train(dataset, config, context);  // long enough for another one to begin
    --running;
    return outcome;
  };
  const auto scheduler = StartScheduler(options);
  scheduler->SetLimits(RunningAtMost(1));
  int64_t last = 0;
  for (int64_t seed = 1; seed <= 8; ++seed) last = Submit(*scheduler, "digits", seed);
  EXPECT_EQ(AwaitEnd(*scheduler, last).state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(most, 1);
}

class CountingStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  absl::Status SaveCheckpoint(int64_t job_id, absl::string_view bytes) override {
    ++checkpoints;
    return ForwardingStore::SaveCheckpoint(job_id, bytes);
  }
  std::atomic<int> checkpoints = 0;
};

TEST_F(Limits, JobsThatStartAfterwardsMakeCheckpointsAsOftenAsWasSaidLast) {
  CountingStore counting(store());
  JobLimits limits = RunningAtMost(1);
  limits.checkpoint_interval = absl::Hours(1);
  JobSchedulerOptions options = Options();
  options.limits = limits;
  const auto scheduler = *JobScheduler::Start(options, counting, metrics(), Clock::System());
  AwaitEnd(*scheduler, Submit(*scheduler, "digits", 1));
  EXPECT_EQ(counting.checkpoints, 0);
  limits.checkpoint_interval = absl::ZeroDuration();
  scheduler->SetLimits(limits);
  AwaitEnd(*scheduler, Submit(*scheduler, "digits", 2));
  EXPECT_GT(counting.checkpoints, 0);
}

}  // namespace
}  // namespace mlp

#include "server/jobs/scheduler.h"

#include <atomic>
#include <latch>
#include <string>
#include <vector>

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/jobs/forwarding_store.h"
#include "tests/server/jobs/job_fixture.h"

namespace mlp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Scheduler : public JobFixture {
 protected:
  JobSchedulerOptions SteppedOptions(int last_iteration) {
    JobSchedulerOptions options = Options();
    options.train = trainer_.Function(last_iteration);
    return options;
  }
  // Of a model: its newest artifact.
  std::string ArtifactOf(const std::string& model) {
    return *store().ReadArtifact(model, store().GetModel(model)->latest_version());
  }

  SteppedTrainer trainer_;
};

// One after the other on one thread, then both at once (each waits for the other before it begins)
// on two: the same points and the same bits.
TEST_F(Scheduler, TwoJobsAtOnceDoNotMix) {
  std::vector<Watched> alone;
  {
    const auto scheduler = StartScheduler(Options());
    alone.push_back(WatchToEnd(*scheduler, Submit(*scheduler, "one-alone", 1), 0));
    alone.push_back(WatchToEnd(*scheduler, Submit(*scheduler, "two-alone", 2), 0));
  }
  std::latch both_began(2);
  JobSchedulerOptions options = Options();
  options.limits.max_running_jobs = 2;
  options.training_threads = 2;
  options.train = [&](const Dataset& dataset, const TrainingConfig& config,
                      const TrainingContext& context) {
    both_began.arrive_and_wait();
    return Train(dataset, config, context);
  };
  const auto scheduler = StartScheduler(options);
  const int64_t first = Submit(*scheduler, "one", 1);
  const int64_t second = Submit(*scheduler, "two", 2);
  const std::vector<Watched> together = {WatchToEnd(*scheduler, first, 0),
                                         WatchToEnd(*scheduler, second, 0)};

  for (size_t job = 0; job < 2; ++job) {
    ASSERT_EQ(together[job].ended.state(), v1::JOB_STATE_SUCCEEDED)
        << together[job].ended.message();
    ASSERT_EQ(Iterations(together[job].points), Iterations(alone[job].points));
    for (size_t i = 0; i < alone[job].points.size(); ++i) {
      EXPECT_EQ(together[job].points[i].cost, alone[job].points[i].cost);
    }
  }
  EXPECT_NE(alone[0].points[0].cost, alone[1].points[0].cost);
  EXPECT_TRUE(ArtifactOf("one") == ArtifactOf("one-alone"));
  EXPECT_TRUE(ArtifactOf("two") == ArtifactOf("two-alone"));
  EXPECT_FALSE(ArtifactOf("one") == ArtifactOf("two"));
}

TEST_F(Scheduler, RunsJobsInTheOrderOfTheirCreation) {
  const auto scheduler = StartScheduler(SteppedOptions(0));
  int64_t last = 0;
  for (const int64_t seed : {7, 3, 5}) last = Submit(*scheduler, "digits", seed);
  for (const int64_t seed : {3, 5, 7}) trainer_.Allow(seed, 0);
  AwaitEnd(*scheduler, last);
  EXPECT_THAT(trainer_.started(), ElementsAre(7, 3, 5));
}

TEST_F(Scheduler, RefusesMoreThanTheQueueHolds) {
  JobSchedulerOptions options = SteppedOptions(0);
  options.limits.max_queued_jobs = 2;
  const auto scheduler = StartScheduler(options);
  Submit(*scheduler, "digits", 1);
  trainer_.AwaitStep(1, -1);  // runs, so it is not in the queue any more
  Submit(*scheduler, "digits", 2);
  Submit(*scheduler, "digits", 3);
  EXPECT_EQ(scheduler->Submit(NewJob("digits", 4), "").status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST_F(Scheduler, ARepeatedRequestGetsItsJobAndTrainsOnce) {
  const auto scheduler = StartScheduler(SteppedOptions(0));
  const auto first = scheduler->Submit(NewJob("digits", 1), "request-1");
  const auto repeated = scheduler->Submit(NewJob("digits", 1), "request-1");
  ASSERT_TRUE(first.ok() && repeated.ok());
  EXPECT_EQ(first->id(), repeated->id());
  trainer_.Allow(1, 0);
  AwaitEnd(*scheduler, first->id());
  EXPECT_EQ(scheduler->Submit(NewJob("digits", 1), "request-1")->state(), v1::JOB_STATE_SUCCEEDED);
  scheduler->Stop();
  EXPECT_THAT(trainer_.started(), ElementsAre(1));
}

// Tells of every job what was true before a runner took it.
class LateStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  absl::StatusOr<v1::TrainingJob> CreateJob(const v1::TrainingJob& job,
                                            absl::string_view request_id, int max_queued) override {
    auto created = ForwardingStore::CreateJob(job, request_id, max_queued);
    if (created.ok()) created->set_state(v1::JOB_STATE_QUEUED);
    return created;
  }
  absl::StatusOr<v1::TrainingJob> GetJob(int64_t id) override {
    auto job = ForwardingStore::GetJob(id);
    if (job.ok() && next_look_is_late.exchange(false)) job->set_state(v1::JOB_STATE_QUEUED);
    return job;
  }
  std::atomic<bool> next_look_is_late = false;
};

TEST_F(Scheduler, ARepeatedRequestThatMeetsTheStartOfItsJobChangesNothing) {
  LateStore late(store());
  JobSchedulerOptions options = SteppedOptions(5);
  options.limits.max_running_jobs = 2;
  const auto scheduler = *JobScheduler::Start(options, late, metrics(), Clock::System());
  const int64_t id = scheduler->Submit(NewJob("digits", 1), "request-1")->id();
  trainer_.AwaitStep(1, -1);
  ASSERT_EQ(scheduler->Submit(NewJob("digits", 1), "request-1")->id(), id);
  Submit(*scheduler, "digits", 2);
  trainer_.AwaitStep(2, -1);  // so the other runner has been through the queue

  ASSERT_TRUE(scheduler->Cancel(id).ok());
  EXPECT_EQ(AwaitEnd(*scheduler, id).state(), v1::JOB_STATE_CANCELLED);
  EXPECT_THAT(trainer_.started(), ElementsAre(1, 2));
}

TEST_F(Scheduler, ACancelThatMeetsTheStartOfItsJobStopsIt) {
  LateStore late(store());
  const auto scheduler = *JobScheduler::Start(SteppedOptions(5), late, metrics(), Clock::System());
  const int64_t id = Submit(*scheduler, "digits", 1);
  trainer_.AwaitStep(1, -1);
  late.next_look_is_late = true;
  const auto job = scheduler->Cancel(id);
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->state(), v1::JOB_STATE_RUNNING);
  EXPECT_EQ(AwaitEnd(*scheduler, id).message(), "cancelled at iteration 0");
}

TEST_F(Scheduler, CancelsAQueuedJobAtOnce) {
  const auto scheduler = StartScheduler(SteppedOptions(0));
  const int64_t running = Submit(*scheduler, "digits", 1);
  trainer_.AwaitStep(1, -1);
  const int64_t queued = Submit(*scheduler, "digits", 2);

  const auto cancelled = scheduler->Cancel(queued);
  ASSERT_TRUE(cancelled.ok()) << cancelled.status();
  EXPECT_EQ(cancelled->state(), v1::JOB_STATE_CANCELLED);
  EXPECT_EQ(cancelled->stop_reason(), v1::STOP_REASON_CANCELLED);
  EXPECT_EQ(AwaitEnd(*scheduler, queued).message(), "cancelled while it was queued");

  trainer_.Allow(1, 0);
  trainer_.Allow(2, 0);
  AwaitEnd(*scheduler, running);
  scheduler->Stop();
  EXPECT_THAT(trainer_.started(), ElementsAre(1));
  EXPECT_THAT(metrics().Text(), HasSubstr("mlpd_jobs_ended_total{stop_reason=\"cancelled\"} 1"));
}

TEST_F(Scheduler, CancelsARunningJobAndPublishesNothing) {
  const auto scheduler = StartScheduler(SteppedOptions(100));
  const int64_t id = Submit(*scheduler, "digits", 1);
  trainer_.Allow(1, 4);
  trainer_.AwaitStep(1, 4);
  ASSERT_TRUE(scheduler->Cancel(id).ok());
  const Watched watched = WatchToEnd(*scheduler, id, 0);
  EXPECT_EQ(watched.ended.state(), v1::JOB_STATE_CANCELLED);
  EXPECT_EQ(watched.ended.stop_reason(), v1::STOP_REASON_CANCELLED);
  EXPECT_EQ(watched.ended.message(), "cancelled at iteration 4");
  EXPECT_EQ(watched.ended.result().iterations(), 4);
  EXPECT_EQ(watched.ended.result().final_cost(), SteppedTrainer::CostAt(1, 4));
  EXPECT_EQ(watched.ended.result().version(), 0);
  EXPECT_EQ(watched.points.size(), 5u);
  EXPECT_EQ(store().GetModel("digits").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(Scheduler, CancelOfAnEndedJobReturnsItAsItIs) {
  const auto scheduler = StartScheduler(SteppedOptions(0));
  trainer_.Allow(1, 0);
  const int64_t id = Submit(*scheduler, "digits", 1);
  const v1::TrainingJob ended = AwaitEnd(*scheduler, id);
  const auto cancelled = scheduler->Cancel(id);
  ASSERT_TRUE(cancelled.ok());
  EXPECT_EQ(cancelled->SerializeAsString(), ended.SerializeAsString());
  EXPECT_EQ(scheduler->Cancel(id + 1).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(Scheduler, DeletesEndedJobsOnly) {
  const auto scheduler = StartScheduler(SteppedOptions(0));
  const int64_t id = Submit(*scheduler, "digits", 1);
  trainer_.AwaitStep(1, -1);
  EXPECT_EQ(scheduler->Delete(id).code(), absl::StatusCode::kFailedPrecondition);
  trainer_.Allow(1, 0);
  AwaitEnd(*scheduler, id);
  EXPECT_TRUE(scheduler->Delete(id).ok());
  EXPECT_EQ(scheduler->Delete(id).code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(store().GetVersion("digits", 1).ok());
}

TEST_F(Scheduler, TakesNothingOnceStopped) {
  const auto scheduler = StartScheduler(SteppedOptions(0));
  scheduler->Stop();
  scheduler->Stop();
  EXPECT_EQ(scheduler->Submit(NewJob("digits", 1), "").status().code(),
            absl::StatusCode::kUnavailable);
}

TEST_F(Scheduler, TellsWhatItPublished) {
  std::vector<std::string> published;
  JobSchedulerOptions options = SteppedOptions(0);
  options.on_published = [&](const v1::ModelVersion& version) {
    published.push_back(absl::StrCat(version.model(), "@", version.version()));
  };
  const auto scheduler = StartScheduler(options);
  trainer_.Allow(1, 0);
  AwaitEnd(*scheduler, Submit(*scheduler, "digits", 1));
  AwaitEnd(*scheduler, Submit(*scheduler, "digits", 1));
  scheduler->Stop();
  EXPECT_THAT(published, ElementsAre("digits@1", "digits@2"));
}

}  // namespace
}  // namespace mlp

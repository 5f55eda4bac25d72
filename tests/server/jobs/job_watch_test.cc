#include "server/jobs/job_watch.h"

#include <numeric>
#include <thread>
#include <vector>

#include <absl/synchronization/notification.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/jobs/forwarding_store.h"
#include "tests/server/jobs/job_fixture.h"

namespace mlp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr absl::Duration kLongEnough = absl::Seconds(60);

std::vector<int> Range(int from, int to) {
  std::vector<int> range(static_cast<size_t>(to - from + 1));
  std::iota(range.begin(), range.end(), from);
  return range;
}

class JobWatchTest : public JobFixture {
 protected:
  JobSchedulerOptions SteppedOptions(int last_iteration) {
    JobSchedulerOptions options = Options();
    options.train = trainer_.Function(last_iteration);
    return options;
  }

  SteppedTrainer trainer_;
};

TEST_F(JobWatchTest, ReplaysThenFollowsThenEnds) {
  const auto scheduler = StartScheduler(SteppedOptions(9));
  const int64_t id = Submit(*scheduler, "digits", 1);
  trainer_.Allow(1, 4);
  trainer_.AwaitStep(1, 4);

  const auto watch = *scheduler->Watch(id, 2);
  std::vector<ProgressPoint> points;
  while (points.size() < 3) {
    const auto batch = watch->Next(kLongEnough);
    ASSERT_TRUE(batch.ok() && !batch->ended && !batch->points.empty());
    points.insert(points.end(), batch->points.begin(), batch->points.end());
  }
  EXPECT_THAT(Iterations(points), ElementsAre(2, 3, 4));

  const auto idle = watch->Next(absl::ZeroDuration());
  ASSERT_TRUE(idle.ok());
  EXPECT_THAT(idle->points, IsEmpty());
  EXPECT_FALSE(idle->ended);

  trainer_.Allow(1, 9);
  for (auto batch = watch->Next(kLongEnough); true; batch = watch->Next(kLongEnough)) {
    ASSERT_TRUE(batch.ok());
    points.insert(points.end(), batch->points.begin(), batch->points.end());
    if (!batch->ended) continue;
    EXPECT_EQ(batch->ended->state(), v1::JOB_STATE_SUCCEEDED);
    EXPECT_EQ(batch->ended->progress().iteration(), 9);
    break;
  }
  EXPECT_EQ(Iterations(points), Range(2, 9));
  for (const ProgressPoint& point : points) {
    EXPECT_EQ(point.cost, SteppedTrainer::CostAt(1, point.iteration));
  }
}

// Watchers that come at any time, one that reconnects after every batch, and one that reads nothing
// before the job has ended: each sees every iteration once, and the slow one stops nobody.
TEST_F(JobWatchTest, EveryWatcherSeesEveryIterationOnce) {
  constexpr int kLast = 3000;
  JobSchedulerOptions options = SteppedOptions(kLast);
  options.progress.flush_interval = absl::Milliseconds(1);
  const auto scheduler = StartScheduler(options);
  const int64_t id = Submit(*scheduler, "digits", 1);
  const auto slow = *scheduler->Watch(id, 0);

  std::vector<Watched> followed(3);
  std::vector<std::thread> watchers;
  for (int i = 0; i < 3; ++i) {
    watchers.emplace_back(
        [&, i] { followed[static_cast<size_t>(i)] = WatchToEnd(*scheduler, id, 100 * i); });
  }
  std::vector<int> reconnected;
  watchers.emplace_back([&] {
    while (true) {
      const auto watch = *scheduler->Watch(id, static_cast<int>(reconnected.size()));
      const auto batch = watch->Next(kLongEnough);
      ASSERT_TRUE(batch.ok());
      for (const ProgressPoint& point : batch->points) reconnected.push_back(point.iteration);
      if (batch->ended) return;
    }
  });
  trainer_.Allow(1, kLast);
  for (std::thread& watcher : watchers) watcher.join();

  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Iterations(followed[static_cast<size_t>(i)].points), Range(100 * i, kLast));
    EXPECT_EQ(followed[static_cast<size_t>(i)].ended.state(), v1::JOB_STATE_SUCCEEDED);
  }
  EXPECT_EQ(reconnected, Range(0, kLast));

  std::vector<ProgressPoint> slowly;
  while (true) {
    const auto batch = slow->Next(absl::ZeroDuration());
    ASSERT_TRUE(batch.ok());
    slowly.insert(slowly.end(), batch->points.begin(), batch->points.end());
    if (batch->ended) break;
    ASSERT_FALSE(batch->points.empty());
  }
  EXPECT_EQ(Iterations(slowly), Range(0, kLast));
}

// Stops before the store writes a batch until the test lets it.
class StallingStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  absl::Status AppendProgress(int64_t job_id, absl::Span<const ProgressPoint> points) override {
    if (!arrived.HasBeenNotified()) arrived.Notify();
    go_on.WaitForNotification();
    return ForwardingStore::AppendProgress(job_id, points);
  }
  absl::Notification arrived;
  absl::Notification go_on;
};

TEST_F(JobWatchTest, ShowsNoPointThatIsNotDurable) {
  StallingStore stalling(store());
  const auto scheduler =
      *JobScheduler::Start(SteppedOptions(3), stalling, metrics(), Clock::System());
  const int64_t id = Submit(*scheduler, "digits", 1);
  trainer_.Allow(1, 3);
  trainer_.AwaitStep(1, 3);
  stalling.arrived.WaitForNotification();
  {
    const auto watch = *scheduler->Watch(id, 0);
    const auto batch = watch->Next(absl::ZeroDuration());
    ASSERT_TRUE(batch.ok());
    EXPECT_THAT(batch->points, IsEmpty());
  }
  stalling.go_on.Notify();
  EXPECT_EQ(Iterations(WatchToEnd(*scheduler, id, 0).points), Range(0, 3));
}

TEST_F(JobWatchTest, OfAnEndedJobReplaysAndEnds) {
  const auto scheduler = StartScheduler(SteppedOptions(600));
  trainer_.Allow(1, 600);
  const int64_t id = Submit(*scheduler, "digits", 1);
  AwaitEnd(*scheduler, id);
  EXPECT_EQ(Iterations(WatchToEnd(*scheduler, id, 0).points), Range(0, 600));
  EXPECT_EQ(Iterations(WatchToEnd(*scheduler, id, 600).points), Range(600, 600));

  const Watched past_the_end = WatchToEnd(*scheduler, id, 601);
  EXPECT_THAT(past_the_end.points, IsEmpty());
  EXPECT_EQ(past_the_end.ended.id(), id);
}

// A watcher that has seen the end may call Predict at once: the server serves the new version.
TEST_F(JobWatchTest, EndsOnceTheVersionIsServed) {
  absl::Notification published, served;
  JobSchedulerOptions options = SteppedOptions(0);
  options.on_published = [&](const v1::ModelVersion&) {
    published.Notify();
    served.WaitForNotification();
  };
  const auto scheduler = StartScheduler(options);
  const int64_t id = Submit(*scheduler, "digits", 1);
  const auto watch = *scheduler->Watch(id, 0);
  trainer_.Allow(1, 0);
  published.WaitForNotification();
  ASSERT_EQ(store().GetJob(id)->state(), v1::JOB_STATE_SUCCEEDED);
  auto batch = watch->Next(absl::ZeroDuration());
  while (batch.ok() && !batch->points.empty()) batch = watch->Next(absl::ZeroDuration());
  ASSERT_TRUE(batch.ok());
  EXPECT_FALSE(batch->ended);

  served.Notify();
  batch = watch->Next(kLongEnough);
  ASSERT_TRUE(batch.ok());
  EXPECT_TRUE(batch->ended);
}

// The run before the restart had come to iteration 5; the one after it is at 1.
TEST_F(JobWatchTest, OfAJobThatIsTrainedAgainShowsTheCurrentRunOnly) {
  v1::TrainingJob job = *store().CreateJob(NewJob("digits", 1), "", 10);
  job.set_state(v1::JOB_STATE_RUNNING);
  job.set_attempts(1);
  ASSERT_TRUE(store().UpdateJob(job, v1::JOB_STATE_QUEUED).ok());
  std::vector<ProgressPoint> before(6);
  for (int i = 0; i < 6; ++i) {
    before[static_cast<size_t>(i)].iteration = i;
    before[static_cast<size_t>(i)].cost = 77.0;
  }
  ASSERT_TRUE(store().AppendProgress(job.id(), before).ok());

  const auto scheduler = StartScheduler(SteppedOptions(3));
  const auto watch = *scheduler->Watch(job.id(), 0);
  trainer_.AwaitStep(1, -1);
  EXPECT_THAT(watch->Next(absl::ZeroDuration())->points, IsEmpty());

  // It ends earlier than the run before: what is left of that one is not shown.
  trainer_.Allow(1, 3);
  const Watched watched = WatchToEnd(*scheduler, job.id(), 0);
  EXPECT_EQ(Iterations(watched.points), Range(0, 3));
  for (const ProgressPoint& point : watched.points) EXPECT_NE(point.cost, 77.0);
  EXPECT_EQ(Iterations(WatchToEnd(*scheduler, job.id(), 0).points), Range(0, 3));
}

TEST_F(JobWatchTest, ServerStopEndsAWaitingWatchAtOnce) {
  const auto scheduler = StartScheduler(SteppedOptions(3));
  const int64_t id = Submit(*scheduler, "digits", 1);
  trainer_.AwaitStep(1, -1);
  auto watch = *scheduler->Watch(id, 0);
  absl::StatusOr<JobWatch::Batch> batch;
  std::thread watcher([&] { batch = watch->Next(absl::Hours(1)); });
  scheduler->Stop();
  watcher.join();
  EXPECT_EQ(batch.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(scheduler->Watch(id, 0).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(JobWatchTest, UnknownOrDeletedJobIsNotFound) {
  const auto scheduler = StartScheduler(SteppedOptions(0));
  EXPECT_EQ(scheduler->Watch(12345, 0).status().code(), absl::StatusCode::kNotFound);

  trainer_.Allow(1, 0);
  const int64_t id = Submit(*scheduler, "digits", 1);
  AwaitEnd(*scheduler, id);
  const auto watch = *scheduler->Watch(id, 0);
  ASSERT_TRUE(scheduler->Delete(id).ok());
  EXPECT_EQ(watch->Next(kLongEnough).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(JobWatchTest, WatchersAreBounded) {
  JobSchedulerOptions options = SteppedOptions(0);
  options.max_watchers = 2;
  const auto scheduler = StartScheduler(options);
  const int64_t id = Submit(*scheduler, "digits", 1);
  auto one = scheduler->Watch(id, 0);
  auto two = scheduler->Watch(id, 0);
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_EQ(scheduler->Watch(id, 0).status().code(), absl::StatusCode::kResourceExhausted);
  one->reset();
  EXPECT_TRUE(scheduler->Watch(id, 0).ok());
}

}  // namespace
}  // namespace mlp

#include "server/jobs/progress_log.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include <absl/strings/str_cat.h>
#include <absl/synchronization/notification.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/jobs/forwarding_store.h"
#include "tests/server/jobs/job_fixture.h"

namespace mlp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Asks the test before each batch.
class GatedStore final : public ForwardingStore {
 public:
  using Gate = std::function<absl::Status(int64_t job_id, absl::Span<const ProgressPoint> points)>;

  GatedStore(Store& store, Gate gate) : ForwardingStore(store), gate_(std::move(gate)) {}

  absl::Status AppendProgress(int64_t job_id, absl::Span<const ProgressPoint> points) override {
    if (const absl::Status status = gate_(job_id, points); !status.ok()) return status;
    return ForwardingStore::AppendProgress(job_id, points);
  }

 private:
  const Gate gate_;
};

ProgressPoint Point(int iteration) {
  ProgressPoint point;
  point.iteration = iteration;
  point.cost = SteppedTrainer::CostAt(0, iteration);
  return point;
}

class ProgressLogTest : public JobFixture {
 protected:
  ProgressLogTest() : notifier_(10) {
    options_.flush_interval = absl::ZeroDuration();
    job_ = *store().CreateJob(NewJob("digits", 1), "", 10);
  }

  std::vector<int> StoredIterations(int64_t job_id) {
    return Iterations(*store().ReadProgress(job_id, 0, 1000));
  }

  ProgressLogOptions options_;
  JobNotifier notifier_;
  v1::TrainingJob job_;
};

TEST_F(ProgressLogTest, FlushMakesPointsDurableInOrder) {
  ProgressLog log(options_, store(), metrics(), notifier_);
  const auto writer = log.Open(job_, std::stop_source());
  EXPECT_EQ(log.DurableIteration(job_.id()), -1);
  for (int i = 0; i <= 3; ++i) writer->OnProgress(Point(i));
  ASSERT_TRUE(writer->Flush().ok());
  EXPECT_THAT(StoredIterations(job_.id()), ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(log.DurableIteration(job_.id()), 3);
  EXPECT_EQ(writer->newest().iteration, 3);
}

TEST_F(ProgressLogTest, StoresWhatCameMeanwhileInOneBatch) {
  absl::Notification first_arrived;
  absl::Notification go_on;
  std::vector<size_t> batch_sizes;
  GatedStore gated(store(), [&](int64_t, absl::Span<const ProgressPoint> points) {
    batch_sizes.push_back(points.size());
    if (batch_sizes.size() == 1) {
      first_arrived.Notify();
      go_on.WaitForNotification();
    }
    return absl::OkStatus();
  });
  ProgressLog log(options_, gated, metrics(), notifier_);
  const auto writer = log.Open(job_, std::stop_source());
  writer->OnProgress(Point(0));
  first_arrived.WaitForNotification();
  for (int i = 1; i <= 50; ++i) writer->OnProgress(Point(i));  // the store's stall holds up nobody
  EXPECT_EQ(log.DurableIteration(job_.id()), -1);              // and shows nothing
  go_on.Notify();
  ASSERT_TRUE(writer->Flush().ok());
  EXPECT_THAT(batch_sizes, ElementsAre(1, 50));
  EXPECT_EQ(log.DurableIteration(job_.id()), 50);
}

TEST_F(ProgressLogTest, ABusyStoreIsTriedAgainAndNothingIsLost) {
  int calls = 0;
  GatedStore gated(store(), [&](int64_t, absl::Span<const ProgressPoint>) {
    return ++calls <= 3 ? absl::UnavailableError("busy") : absl::OkStatus();
  });
  ProgressLog log(options_, gated, metrics(), notifier_);
  std::stop_source stop;
  const auto writer = log.Open(job_, stop);
  for (int i = 0; i <= 2; ++i) writer->OnProgress(Point(i));
  ASSERT_TRUE(writer->Flush().ok());
  EXPECT_THAT(StoredIterations(job_.id()), ElementsAre(0, 1, 2));
  EXPECT_FALSE(stop.stop_requested());
}

TEST_F(ProgressLogTest, WhatCameWhileTheStoreWasBusyFollowsWhatWasThere) {
  absl::Notification first_arrived;
  absl::Notification go_on;
  std::vector<std::vector<int>> batches;
  GatedStore gated(store(), [&](int64_t, absl::Span<const ProgressPoint> points) {
    batches.push_back(Iterations({points.begin(), points.end()}));
    if (batches.size() > 1) return absl::OkStatus();
    first_arrived.Notify();
    go_on.WaitForNotification();
    return absl::UnavailableError("busy");
  });
  ProgressLog log(options_, gated, metrics(), notifier_);
  const auto writer = log.Open(job_, std::stop_source());
  writer->OnProgress(Point(0));
  first_arrived.WaitForNotification();
  writer->OnProgress(Point(1));
  go_on.Notify();
  ASSERT_TRUE(writer->Flush().ok());
  EXPECT_THAT(batches, ElementsAre(ElementsAre(0), ElementsAre(0, 1)));
  EXPECT_EQ(log.DurableIteration(job_.id()), 1);
}

TEST_F(ProgressLogTest, AStoreThatStaysBusyFailsTheJob) {
  GatedStore gated(store(), [](int64_t, absl::Span<const ProgressPoint>) {
    return absl::UnavailableError("busy");
  });
  options_.max_retries = 5;
  ProgressLog log(options_, gated, metrics(), notifier_);
  std::stop_source stop;
  const auto writer = log.Open(job_, stop);
  writer->OnProgress(Point(0));
  EXPECT_EQ(writer->Flush(), absl::UnavailableError("busy"));
  EXPECT_TRUE(stop.stop_requested());
}

TEST_F(ProgressLogTest, AnErrorOfOneJobLeavesTheOthersAlone) {
  const v1::TrainingJob other = *store().CreateJob(NewJob("other", 2), "", 10);
  GatedStore gated(store(), [&](int64_t id, absl::Span<const ProgressPoint>) {
    return id == job_.id() ? absl::ResourceExhaustedError("disk full") : absl::OkStatus();
  });
  ProgressLog log(options_, gated, metrics(), notifier_);
  std::stop_source stop;
  std::stop_source other_stop;
  const auto writer = log.Open(job_, stop);
  const auto other_writer = log.Open(other, other_stop);
  writer->OnProgress(Point(0));
  other_writer->OnProgress(Point(0));
  EXPECT_EQ(writer->Flush(), absl::ResourceExhaustedError("disk full"));
  EXPECT_TRUE(other_writer->Flush().ok());
  EXPECT_TRUE(stop.stop_requested());
  EXPECT_FALSE(other_stop.stop_requested());

  // After a gap nothing more is taken.
  writer->OnProgress(Point(1));
  EXPECT_EQ(writer->Flush(), absl::ResourceExhaustedError("disk full"));
  EXPECT_THAT(StoredIterations(job_.id()), ElementsAre());
  EXPECT_THAT(StoredIterations(other.id()), ElementsAre(0));
}

TEST_F(ProgressLogTest, AFullLogHoldsTheTrainerUpUntilThereIsRoom) {
  absl::Notification go_on;
  size_t largest_batch = 0;
  GatedStore gated(store(), [&](int64_t, absl::Span<const ProgressPoint> points) {
    go_on.WaitForNotification();
    largest_batch = std::max(largest_batch, points.size());
    return absl::OkStatus();
  });
  options_.max_pending_points = 3;
  ProgressLog log(options_, gated, metrics(), notifier_);
  const auto writer = log.Open(job_, std::stop_source());
  std::atomic<int> taken = 0;
  absl::Notification full;
  std::thread trainer([&] {
    for (int i = 0; i < 1000; ++i) {
      if (i == 3) full.Notify();
      writer->OnProgress(Point(i));
      ++taken;
    }
  });
  full.WaitForNotification();
  EXPECT_EQ(taken.load(), 3);
  go_on.Notify();
  trainer.join();
  ASSERT_TRUE(writer->Flush().ok());
  EXPECT_LE(largest_batch, 3u);
  EXPECT_EQ(StoredIterations(job_.id()).size(), 1000u);
}

TEST_F(ProgressLogTest, ARequestToStopLetsTheTrainerOutOfAFullLog) {
  absl::Notification go_on;
  GatedStore gated(store(), [&](int64_t, absl::Span<const ProgressPoint>) {
    go_on.WaitForNotification();
    return absl::OkStatus();
  });
  options_.max_pending_points = 1;
  ProgressLog log(options_, gated, metrics(), notifier_);
  std::stop_source stop;
  const auto writer = log.Open(job_, stop);
  writer->OnProgress(Point(0));
  stop.request_stop();
  writer->OnProgress(Point(1));  // returns although the store stalls
  go_on.Notify();
  ASSERT_TRUE(writer->Flush().ok());
  EXPECT_THAT(StoredIterations(job_.id()), ElementsAre(0, 1));
}

TEST_F(ProgressLogTest, NotifiesWatchersAndCountsIterations) {
  ProgressLog log(options_, store(), metrics(), notifier_);
  const auto subscription = *notifier_.Subscribe(job_.id());
  const uint64_t seen = subscription->Version();
  const auto writer = log.Open(job_, std::stop_source());
  for (int i = 0; i <= 4; ++i) writer->OnProgress(Point(i));
  ASSERT_TRUE(writer->Flush().ok());
  EXPECT_EQ(subscription->Wait(seen, absl::Seconds(60)), absl::StatusOr<bool>(true));
  const std::string text = metrics().Text();
  EXPECT_THAT(text, HasSubstr("mlpd_training_iterations_total 4\n"));
  EXPECT_THAT(text, HasSubstr(absl::StrCat("mlpd_training_cost{job=\"", job_.id(),
                                           "\",model=\"digits\"} 0.2\n")));
}

TEST_F(ProgressLogTest, AClosedJobHasNoDurableIteration) {
  ProgressLog log(options_, store(), metrics(), notifier_);
  {
    const auto writer = log.Open(job_, std::stop_source());
    writer->OnProgress(Point(0));
    ASSERT_TRUE(writer->Flush().ok());
  }
  EXPECT_EQ(log.DurableIteration(job_.id()), -1);
}

}  // namespace
}  // namespace mlp

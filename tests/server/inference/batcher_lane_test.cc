// The batcher with its threads: batches that are too large to be run at once, and the end while one
// is under way.

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>
#include <absl/synchronization/notification.h>
#include <gmock/gmock.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <gtest/gtest.h>

#include "core/nn/forward_propagation.h"
#include "tests/server/inference/batch_fixture.h"

namespace mlp {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

// Everything is too large.
class BatcherLaneTest : public BatchFixture {
 protected:
  BatcherLaneTest() : BatchFixture({.threads = 2, .max_inline_flops = 0}) {}
};

// Stops where its first rows are read, in the middle of a batch.
class HeldMessage final : public PredictMessage {
 public:
  void ReadRows(int64_t first, int64_t count, float* out) const override {
    if (first == 0) reached.Notify();
    go_on.WaitForNotification();
    PredictMessage::ReadRows(first, count, out);
  }

  mutable absl::Notification reached;
  absl::Notification go_on;
};

class HeldRequest final : public InferenceCaller {
 public:
  explicit HeldRequest(const v1::PredictRequest& request) : bytes_(request.SerializeAsString()) {
    google::protobuf::io::ArrayInputStream in(bytes_.data(), static_cast<int>(bytes_.size()));
    message.set_caller(*this);
    EXPECT_TRUE(message.Parse(in).ok());
  }
  absl::Status Waiting() const override { return absl::OkStatus(); }
  void Answered(InferenceMessage&, const absl::Status& ended) override {
    absl::MutexLock lock(&mutex);
    ++answers;
    status = ended;
  }

  HeldMessage message;
  absl::Mutex mutex;
  int answers ABSL_GUARDED_BY(mutex) = 0;
  absl::Status status ABSL_GUARDED_BY(mutex);

 private:
  const std::string bytes_;
};

std::vector<float> Values(int rows, int seed) {
  std::vector<float> values;
  for (int i = 0; i < 2 * rows; ++i) {
    values.push_back(0.01f * static_cast<float>((seed * 131 + i * 17) % 200 - 100));
  }
  return values;
}

TEST_F(BatcherLaneTest, LargeBatchesGiveTheSameAnswersAsSmallOnes) {
  store_.Publish("a", Diagonal(1));
  store_.Publish("b", Diagonal(-2));
  std::vector<std::unique_ptr<TestRequest>> requests;
  std::vector<v1::PredictRequest> sent;
  for (int i = 0; i < 40; ++i) {
    sent.push_back(Request(i % 3 == 0 ? "a" : "b", Values(1 + 37 * i % 400, i)));
    requests.push_back(Submit(sent.back()));
  }
  RunLane(requests);

  Batcher small(
      {}, models_, metrics_, clock_,
      {.run_elsewhere = [](const std::function<void()>&) { return false; }, .wake = [] {}});
  Batcher::Worker worker;
  for (size_t i = 0; i < requests.size(); ++i) {
    ASSERT_EQ(requests[i]->answers, 1) << i;
    ASSERT_TRUE(requests[i]->status.ok()) << i << ": " << requests[i]->status;
    TestRequest alone(sent[i]);
    small.Submit(alone.message);
    while (small.RunReady(worker) == absl::ZeroDuration()) {
    }
    ASSERT_TRUE(alone.status.ok()) << alone.status;
    ASSERT_EQ(requests[i]->response.outputs_size(), alone.response.outputs_size());
    for (int k = 0; k < alone.response.outputs_size(); ++k) {
      ASSERT_NEAR(requests[i]->response.outputs(k), alone.response.outputs(k), 1e-6)
          << i << ", " << k;
    }
  }
  small.Stop();
}

TEST_F(BatcherLaneTest, RunReadyLeavesLargeBatchesToTheLane) {
  store_.Publish("m", Diagonal(1));
  HeldRequest held(Request("m", {1, 2}));
  batcher_.Submit(held.message);
  // Comes back while the batch is held.
  EXPECT_EQ(batcher_.RunReady(worker_), absl::InfiniteDuration());
  held.message.reached.WaitForNotification();
  std::vector<std::unique_ptr<TestRequest>> later;
  later.push_back(Submit(Request("m", {3, 4})));
  // Its model is busy: it waits its turn.
  EXPECT_EQ(batcher_.RunReady(worker_), absl::InfiniteDuration());
  EXPECT_FALSE(later[0]->answered.HasBeenNotified());
  held.message.go_on.Notify();
  RunLane(later);
  EXPECT_TRUE(later[0]->status.ok());
  absl::MutexLock lock(&held.mutex);
  EXPECT_EQ(held.answers, 1);
  EXPECT_TRUE(held.status.ok()) << held.status;
}

// After a batch of one row, with two more waiting, that took 8 ms.
class BatcherEchoTest : public BatcherLaneTest {
 protected:
  BatcherEchoTest() {
    store_.Publish("m", Diagonal(1));
    store_.Publish("other", Diagonal(2));
    batcher_.Submit(held_.message);
    batcher_.RunReady(worker_);
    held_.message.reached.WaitForNotification();
    waiting_ = SubmitEach("m", {1, 1});
    clock_.Advance(absl::Milliseconds(8));
    {
      absl::MutexLock lock(&mutex_);
      wakes_ = 0;  // not those of the loads
    }
    held_.message.go_on.Notify();
    const auto woken = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return wakes_ > 0; };
    absl::MutexLock lock(&mutex_, absl::Condition(&woken));
    --wakes_;
  }

  HeldRequest held_{Request("m", {1, 2})};
  std::vector<std::unique_ptr<TestRequest>> waiting_;
};

TEST_F(BatcherEchoTest, ThoseWhoWereAnsweredAreWaitedForAQuarterOfTheirBatch) {
  EXPECT_EQ(batcher_.RunReady(worker_), absl::Milliseconds(2));
  clock_.Advance(absl::Microseconds(1999));
  EXPECT_EQ(batcher_.RunReady(worker_), absl::Microseconds(1));
  clock_.Advance(absl::Microseconds(1));
  RunLane(waiting_);
  EXPECT_THAT(Batches(Counts("m")), ElementsAre(Pair(1, 1), Pair(2, 1)));
}

TEST_F(BatcherEchoTest, OnceTheyAreBackAllAreAnsweredTogether) {
  EXPECT_GT(batcher_.RunReady(worker_), absl::ZeroDuration());
  waiting_.push_back(Submit(RowsOf("m", 1)));
  RunLane(waiting_);
  EXPECT_THAT(Batches(Counts("m")), ElementsAre(Pair(1, 1), Pair(3, 1)));
}

TEST_F(BatcherEchoTest, OtherModelsDoNotWait) {
  RunLane(SubmitEach("other", {1}));
  EXPECT_THAT(Batches(Counts("other")), ElementsAre(Pair(1, 1)));
  // Whose batch was the last one now.
  RunLane(waiting_);
}

TEST_F(BatcherLaneTest, StopEndsTheLanesBatchAndFinishesWhatWaits) {
  store_.Publish("m", Diagonal(1));
  HeldRequest held(Request("m", {1, 2}));
  batcher_.Submit(held.message);
  batcher_.RunReady(worker_);
  held.message.reached.WaitForNotification();
  const auto waiting = Submit(Request("m", {3, 4}));
  std::thread stopper([this] { batcher_.Stop(); });
  held.message.go_on.Notify();
  stopper.join();
  EXPECT_EQ(waiting->answers, 1);
  EXPECT_EQ(waiting->status.code(), absl::StatusCode::kUnavailable);
  absl::MutexLock lock(&held.mutex);
  EXPECT_EQ(held.answers, 1);
  EXPECT_TRUE(held.status.ok()) << held.status;
}

// --- Turns ---

// Of Diagonal.
constexpr int64_t kFlopsPerRow = 8;

// 16 rows of Diagonal are run inline, and one of Large goes to the lane.
class BatcherTurnsTest : public BatchFixture {
 protected:
  static constexpr int kLargeUnits = 64;
  static constexpr int64_t kLargeFlopsPerRow = int64_t{2} * (2 * kLargeUnits + kLargeUnits * 2);

  BatcherTurnsTest() : BatchFixture({.threads = 2, .max_inline_flops = 16 * kFlopsPerRow}) {}

  static Artifact Large() {
    Artifact artifact = Diagonal(1);
    artifact.network.topology = {2,
                                 {{kLargeUnits, Activation::kSigmoid}, {2, Activation::kSigmoid}}};
    artifact.network.parameters.setZero(3 * kLargeUnits + (kLargeUnits + 1) * 2);
    return artifact;
  }
};

TEST_F(BatcherTurnsTest, ASmallModelsBacklogIsAnsweredInlineWhileALargeModelHasTheLane) {
  store_.Publish("large", Large());
  store_.Publish("small", Diagonal(1));
  HeldRequest held(Request("large", {1, 2}));
  batcher_.Submit(held.message);
  EXPECT_EQ(batcher_.RunReady(worker_), absl::InfiniteDuration());
  held.message.reached.WaitForNotification();
  const auto small = SubmitEach("small", {1, 38, 1});
  RunAll();
  for (const auto& request : small) ASSERT_TRUE(request->answered.HasBeenNotified());
  EXPECT_THAT(Batches(Counts("small")), ElementsAre(Pair(8, 1), Pair(16, 2)));
  {
    absl::MutexLock lock(&held.mutex);
    EXPECT_EQ(held.answers, 0);
  }
  held.message.go_on.Notify();
  batcher_.Stop();
}

TEST_F(BatcherTurnsTest, ABacklogThatCostsMoreThanTheLaneHasToDoWaitsForTheLane) {
  store_.Publish("large", Large());
  store_.Publish("small", Diagonal(1));
  HeldRequest held(Request("large", {1, 2}));
  batcher_.Submit(held.message);
  batcher_.RunReady(worker_);
  held.message.reached.WaitForNotification();
  constexpr int kRows = kLargeFlopsPerRow / kFlopsPerRow + 1;
  const auto small = SubmitEach("small", {kRows});
  EXPECT_EQ(batcher_.RunReady(worker_), absl::InfiniteDuration());
  EXPECT_FALSE(small[0]->answered.HasBeenNotified());
  held.message.go_on.Notify();
  RunLane(small);
  ExpectAnswered(*small[0], kRows);
}

TEST_F(BatcherTurnsTest, ModelsTakeTurnsInTheLane) {
  store_.Publish("first", Large());
  store_.Publish("second", Large());
  Limit("first", Limits(1));
  HeldRequest held(Request("first", {1, 2, 3, 4}));
  batcher_.Submit(held.message);
  batcher_.RunReady(worker_);
  held.message.reached.WaitForNotification();
  const auto second = SubmitEach("second", {1});
  EXPECT_EQ(batcher_.RunReady(worker_), absl::InfiniteDuration());
  held.message.go_on.Notify();
  second[0]->answered.WaitForNotification();  // before the other row of the first one
  {
    absl::MutexLock lock(&held.mutex);
    EXPECT_EQ(held.answers, 0);
  }
  batcher_.Stop();
}

// Three blocks and a few rows for two threads.
class BatcherCostTest : public BatchFixture {
 protected:
  BatcherCostTest()
      : BatchFixture({.threads = 2,
                      .max_inline_flops = 0,
                      .max_batch_flops = (3 * BlockRows() + 5) * kFlopsPerRow}) {}

  static int64_t BlockRows() { return RecommendedBlockRows(Diagonal(1).network.topology); }
};

TEST_F(BatcherCostTest, ABatchIsBoundedByItsCostInWholeBlocksForEachThread) {
  store_.Publish("m", Diagonal(1));
  const auto requests = SubmitEach("m", {static_cast<int>(5 * BlockRows() + 1)});
  RunLane(requests);
  ExpectAnswered(*requests[0], static_cast<int>(5 * BlockRows() + 1));
  EXPECT_THAT(Batches(Counts("m")),
              ElementsAre(Pair(BlockRows() + 1, 1), Pair(2 * BlockRows(), 2)));
}

// --- The end ---

using BatcherStopTest = BatchFixture;

TEST_F(BatcherStopTest, StopWaitsForABatchThatAnotherThreadRuns) {
  store_.Publish("m", Diagonal(1));
  HeldRequest held(Request("m", {1, 2}));
  batcher_.Submit(held.message);
  std::thread poller([this] { batcher_.RunReady(worker_); });
  held.message.reached.WaitForNotification();
  absl::Notification stopped;
  std::thread stopper([this, &stopped] {
    batcher_.Stop();
    stopped.Notify();
  });
  EXPECT_FALSE(stopped.WaitForNotificationWithTimeout(absl::Milliseconds(50)));
  held.message.go_on.Notify();
  poller.join();
  stopper.join();
  absl::MutexLock lock(&held.mutex);
  EXPECT_EQ(held.answers, 1);
  EXPECT_TRUE(held.status.ok()) << held.status;
}

}  // namespace
}  // namespace mlp

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
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <gtest/gtest.h>

#include "tests/server/inference/batch_fixture.h"

namespace mlp {
namespace {

// Everything is too large.
class BatcherLaneTest : public BatchFixture {
 protected:
  BatcherLaneTest() : BatchFixture({.threads = 2, .max_inline_flops = 0}) {}
};

// Stops where its rows are read, in the middle of a batch.
class HeldMessage final : public PredictMessage {
 public:
  void ReadRows(int64_t first, int64_t count, float* out) const override {
    reached.Notify();
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

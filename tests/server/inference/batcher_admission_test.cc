// The batcher stepped by hand under a fake clock: requests that are refused, dropped or failed,
// that wait for their model, or that are left when it stops. What the others are batched with is in
// batcher_test.cc.

#include <limits>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <gtest/gtest.h>

#include "server/inference/batcher.h"
#include "server/retry_delay.h"
#include "tests/server/inference/batch_fixture.h"

namespace mlp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

using BatcherAdmissionTest = BatchFixture;

class SmallMemoryBatcherTest : public BatchFixture {
 protected:
  SmallMemoryBatcherTest() : BatchFixture({.max_queued_bytes = 64}) {}
};

class FewLoadsBatcherTest : public BatchFixture {
 protected:
  FewLoadsBatcherTest() : BatchFixture({.max_loading_requests = 2}) {}
};

// --- Full queues ---

TEST_F(BatcherAdmissionTest, RefusesAtOnceWhatTheModelsQueueDoesNotHold) {
  store_.Publish("m", Diagonal(1));
  store_.Publish("other", Diagonal(1));
  Limit("m", Limits(0, 0, 2));
  const auto held = SubmitEach("m", {1, 1});
  const auto refused = SubmitEach("m", {1});
  ASSERT_EQ(refused[0]->answers, 1);
  EXPECT_EQ(refused[0]->status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(refused[0]->status.message()),
              HasSubstr("model m: expected at most 2 requests to wait"));
  EXPECT_GT(RetryDelay(refused[0]->status), absl::ZeroDuration());
  EXPECT_LE(RetryDelay(refused[0]->status), absl::Seconds(1));
  const auto others = SubmitEach("other", {1});
  RunAll();
  ExpectAnswered(*held[1], 1);
  ExpectAnswered(*others[0], 1);
  const auto later = SubmitEach("m", {1});
  RunAll();
  ExpectAnswered(*later[0], 1);
  EXPECT_EQ(Counts("m").fail.count, 1);
  EXPECT_EQ(refused[0]->answers, 1);
}

TEST_F(SmallMemoryBatcherTest, RefusesRowsThatTheMemoryForQueuesDoesNotHold) {
  store_.Publish("m", Diagonal(1));
  const auto alone = SubmitEach("m", {20});  // 160 bytes: one request may always wait
  EXPECT_EQ(alone[0]->answers, 0);
  const auto refused = SubmitEach("m", {1});
  ASSERT_EQ(refused[0]->answers, 1);
  EXPECT_EQ(refused[0]->status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_GT(RetryDelay(refused[0]->status), absl::ZeroDuration());
  RunAll();
  ExpectAnswered(*alone[0], 20);
  const auto fit = SubmitEach("m", {4, 4});  // 64 bytes, now that the queue is empty again
  RunAll();
  ExpectAnswered(*fit[0], 4);
  ExpectAnswered(*fit[1], 4);
}

TEST_F(BatcherAdmissionTest, ARequestThatNobodyWaitsForGivesItsPlaceToOthers) {
  store_.Publish("m", Diagonal(1));
  Limit("m", Limits(0, 0, 3));
  const auto held = SubmitEach("m", {1, 1, 1});
  held[0]->waiting = absl::CancelledError("gone");
  held[2]->message.set_deadline(absl::ZeroDuration());
  const auto live = SubmitEach("m", {1, 1});
  EXPECT_EQ(held[0]->status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(held[2]->status.code(), absl::StatusCode::kDeadlineExceeded);
  const auto refused = SubmitEach("m", {1});
  EXPECT_EQ(refused[0]->status.code(), absl::StatusCode::kResourceExhausted);
  RunAll();
  ExpectAnswered(*held[1], 1);
  ExpectAnswered(*live[0], 1);
  ExpectAnswered(*live[1], 1);
  EXPECT_EQ(held[0]->answers, 1);
  EXPECT_EQ(held[2]->answers, 1);
  EXPECT_EQ(Counts("m").fail.count, 3);
}

TEST_F(SmallMemoryBatcherTest, RequestsThatNobodyWaitsForGiveTheirMemoryToOtherModels) {
  store_.Publish("m", Diagonal(1));
  store_.Publish("other", Diagonal(1));
  const auto gone = SubmitEach("m", {6, 2});  // all 64 bytes
  const auto first = SubmitEach("other", {1});
  for (const auto& request : gone) request->waiting = absl::CancelledError("gone");
  const auto second = SubmitEach("other", {1});
  EXPECT_EQ(gone[0]->answers, 1);
  EXPECT_EQ(gone[1]->answers, 1);
  RunAll();
  ExpectAnswered(*first[0], 1);
  ExpectAnswered(*second[0], 1);
  const auto later = SubmitEach("m", {8});  // its queue is as good as new, and the memory free
  const auto more = SubmitEach("other", {1});
  RunAll();
  ExpectAnswered(*later[0], 8);
  ExpectAnswered(*more[0], 1);
  EXPECT_EQ(Counts("m").executions, 1);
}

// --- When to try again ---

// Takes a millisecond a row.
class SlowMessage final : public PredictMessage {
 public:
  explicit SlowMessage(FakeClock& clock) : clock_(clock) {}
  void ReadRows(int64_t first, int64_t count, float* out) const override {
    clock_.Advance(count * absl::Milliseconds(1));
    PredictMessage::ReadRows(first, count, out);
  }

 private:
  FakeClock& clock_;
};

class BatcherRetryTest : public BatchFixture {
 protected:
  // Has two rows of "m" computed, at a millisecond each.
  void RunSlowRows() {
    struct Caller final : InferenceCaller {
      absl::Status Waiting() const override { return absl::OkStatus(); }
      void Answered(InferenceMessage&, const absl::Status& ended) override { status = ended; }
      absl::Status status = absl::UnknownError("not answered");
    } caller;
    SlowMessage message(clock_);
    message.set_caller(caller);
    const std::string bytes = RowsOf("m", 2).SerializeAsString();
    google::protobuf::io::ArrayInputStream in(bytes.data(), static_cast<int>(bytes.size()));
    ASSERT_TRUE(message.Parse(in).ok());
    batcher_.Submit(message);
    RunAll();
    ASSERT_TRUE(caller.status.ok()) << caller.status;
  }
  absl::Duration DelayOfOneMore() { return RetryDelay(SubmitEach("m", {1})[0]->status); }
};

TEST_F(BatcherRetryTest, TheDelayIsThatOfAllRowsThatWaitAndRemembersHowLongRowsTake) {
  store_.Publish("m", Diagonal(1));
  Limit("m", Limits(0, 0, 2));
  RunSlowRows();  // the queue is empty again
  const auto held = SubmitEach("m", {7, 20});
  EXPECT_EQ(DelayOfOneMore(), absl::Milliseconds(27));
  RunAll();
}

TEST_F(BatcherRetryTest, TheDelayCountsTheTimeThatABatchIsHeldBack) {
  store_.Publish("m", Diagonal(1));
  Limit("m", Limits(0, 0, 2));
  RunSlowRows();
  Limit("m", Limits(0, 100'000, 2));
  const auto held = SubmitEach("m", {7, 20});
  EXPECT_EQ(DelayOfOneMore(), absl::Milliseconds(127));
  clock_.Advance(absl::Milliseconds(100));
  RunAll();
  ExpectAnswered(*held[1], 20);
}

TEST_F(BatcherRetryTest, TheDelayIsASecondAtMost) {
  store_.Publish("m", Diagonal(1));
  Limit("m", Limits(0, 0, 2));
  RunSlowRows();
  const auto held = SubmitEach("m", {1, 5000});
  EXPECT_EQ(DelayOfOneMore(), absl::Seconds(1));
  RunAll();
}

// --- Requests that are not computed ---

TEST_F(BatcherAdmissionTest, DropsWhatNobodyWaitsForBeforeItIsComputed) {
  store_.Publish("m", Diagonal(1));
  const auto requests = SubmitEach("m", {1, 2, 3});
  requests[0]->waiting = absl::CancelledError("gone");
  requests[2]->message.set_deadline(absl::ZeroDuration());
  RunAll();
  EXPECT_EQ(requests[0]->status.code(), absl::StatusCode::kCancelled);
  ExpectAnswered(*requests[1], 2);
  EXPECT_EQ(requests[2]->status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(Batches(Counts("m")), ElementsAre(Pair(2, 1)));
  EXPECT_EQ(Counts("m").fail.count, 2);
}

TEST_F(BatcherAdmissionTest, ComputesNoFurtherRowsOnceNobodyWaits) {
  store_.Publish("m", Diagonal(1));
  Limit("m", Limits(2));
  const auto gone = SubmitEach("m", {8});
  EXPECT_EQ(batcher_.RunReady(worker_), absl::ZeroDuration());
  EXPECT_EQ(gone[0]->answers, 0);
  gone[0]->waiting = absl::CancelledError("gone");
  RunAll();
  EXPECT_EQ(gone[0]->answers, 1);
  EXPECT_EQ(gone[0]->status.code(), absl::StatusCode::kCancelled);
  const auto late = SubmitEach("m", {8});
  batcher_.RunReady(worker_);
  late[0]->message.set_deadline(absl::ZeroDuration());
  RunAll();
  EXPECT_EQ(late[0]->answers, 1);
  EXPECT_EQ(late[0]->status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(Batches(Counts("m")), ElementsAre(Pair(2, 2)));
}

TEST_F(BatcherAdmissionTest, ExecutesNothingWhereNobodyWaits) {
  store_.Publish("m", Diagonal(1));
  const auto requests = SubmitEach("m", {1, 2});
  for (const auto& request : requests) request->waiting = absl::CancelledError("gone");
  EXPECT_EQ(batcher_.RunReady(worker_), absl::InfiniteDuration());
  for (const auto& request : requests) {
    EXPECT_EQ(request->answers, 1);
    EXPECT_EQ(request->status.code(), absl::StatusCode::kCancelled);
  }
  EXPECT_EQ(Counts("m").executions, 0);
}

TEST_F(BatcherAdmissionTest, NotANumberFailsOnlyTheRequestThatHasIt) {
  store_.Publish("m", Diagonal(1));
  const auto first = Submit(Request("m", {1, 2}));
  const auto bad = Submit(Request("m", {1, 2, std::numeric_limits<float>::quiet_NaN(), 4}));
  const auto last = Submit(Request("m", {1, 2}));
  RunAll();
  EXPECT_EQ(bad->status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(bad->status.message()), HasSubstr("row 1, feature 0"));
  ExpectAnswered(*first, 1);
  ExpectAnswered(*last, 1);
  v1::PredictResponse alone;
  ASSERT_TRUE(RunOne(Request("m", {1, 2}), alone).ok());
  EXPECT_NEAR(last->response.outputs(0), alone.outputs(0), 1e-6);
  EXPECT_EQ(Counts("m").executions, 2);
}

TEST_F(BatcherAdmissionTest, ComputesNoFurtherRowsOfARequestThatHasFailed) {
  store_.Publish("m", Diagonal(1));
  Limit("m", Limits(2));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto bad = Submit(Request("m", {nan, 0, 1, 1, 2, 2, 3, 3, 4, 4}));
  const auto good = Submit(Request("m", {1, 2}));
  RunAll();
  EXPECT_EQ(bad->answers, 1);
  EXPECT_EQ(bad->status.code(), absl::StatusCode::kInvalidArgument);
  ExpectAnswered(*good, 1);
  EXPECT_THAT(Batches(Counts("m")), ElementsAre(Pair(1, 1), Pair(2, 1)));
}

// --- Loading ---

TEST_F(BatcherAdmissionTest, RequestsWaitForTheirModelAndShareItsLoad) {
  store_.Publish("m", Diagonal(1));
  store_.Publish("resident", Diagonal(1));
  ASSERT_TRUE(models_.Load("resident").ok());
  hold_loads_ = true;
  const auto waiting = SubmitEach("m", {1, 2, 3});
  const auto resident = SubmitEach("resident", {1});
  EXPECT_EQ(held_loads_.size(), 1u);
  EXPECT_EQ(batcher_.RunReady(worker_), absl::InfiniteDuration());
  ExpectAnswered(*resident[0], 1);
  EXPECT_EQ(waiting[0]->answers, 0);
  clock_.Advance(absl::Microseconds(50));
  RunLoads();
  {
    absl::MutexLock lock(&mutex_);
    EXPECT_EQ(wakes_, 1);
  }
  RunAll();
  for (int i = 0; i < 3; ++i) ExpectAnswered(*waiting[static_cast<size_t>(i)], 1 + i);
  EXPECT_THAT(Batches(Counts("m")), ElementsAre(Pair(6, 1)));
  EXPECT_EQ(Counts("m").queue.ns, 3 * 50'000);
}

TEST_F(BatcherAdmissionTest, RequestsGetTheErrorOfTheirModelsLoad) {
  hold_loads_ = true;
  const auto requests = SubmitEach("nobody", {1, 1});
  EXPECT_EQ(requests[0]->answers, 0);
  RunLoads();
  for (const auto& request : requests) {
    EXPECT_EQ(request->answers, 1);
    EXPECT_EQ(request->status.code(), absl::StatusCode::kNotFound);
  }
  EXPECT_EQ(batcher_.RunReady(worker_), absl::InfiniteDuration());
}

TEST_F(FewLoadsBatcherTest, RefusesWhereTooManyWaitForLoads) {
  store_.Publish("m", Diagonal(1));
  hold_loads_ = true;
  const auto waiting = SubmitEach("m", {1, 1});
  const auto refused = SubmitEach("m", {1});
  EXPECT_EQ(refused[0]->answers, 1);
  EXPECT_EQ(refused[0]->status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_GT(RetryDelay(refused[0]->status), absl::ZeroDuration());
  RunLoads();
  RunAll();
  ExpectAnswered(*waiting[0], 1);
  ExpectAnswered(*waiting[1], 1);
}

TEST_F(FewLoadsBatcherTest, RequestsThatNobodyWaitsForGiveTheirPlaceToOthers) {
  store_.Publish("m", Diagonal(1));
  hold_loads_ = true;
  const auto waiting = SubmitEach("m", {1, 1});
  waiting[0]->waiting = absl::CancelledError("gone");
  const auto live = SubmitEach("m", {1});
  EXPECT_EQ(waiting[0]->answers, 1);
  EXPECT_EQ(waiting[0]->status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(held_loads_.size(), 1u);
  RunLoads();
  RunAll();
  ExpectAnswered(*waiting[1], 1);
  ExpectAnswered(*live[0], 1);
  EXPECT_EQ(waiting[0]->answers, 1);
}

// --- The end ---

TEST_F(BatcherAdmissionTest, StopFinishesWhatWaitsWithUnavailable) {
  store_.Publish("a", Diagonal(1));
  store_.Publish("b", Diagonal(1));
  const auto first = SubmitEach("a", {1, 2});
  const auto second = SubmitEach("b", {1});
  batcher_.Stop();
  for (const TestRequest* request : {first[0].get(), first[1].get(), second[0].get()}) {
    EXPECT_EQ(request->answers, 1);
    EXPECT_EQ(request->status.code(), absl::StatusCode::kUnavailable);
  }
  EXPECT_EQ(batcher_.RunReady(worker_), absl::InfiniteDuration());
  batcher_.Stop();
  EXPECT_EQ(first[0]->answers, 1);
}

TEST_F(BatcherAdmissionTest, RequestsThatComeAfterStopAreUnavailable) {
  store_.Publish("m", Diagonal(1));
  ASSERT_TRUE(models_.Load("m").ok());
  batcher_.Stop();
  const auto requests = SubmitEach("m", {1});
  EXPECT_EQ(requests[0]->answers, 1);
  EXPECT_EQ(requests[0]->status.code(), absl::StatusCode::kUnavailable);
  const auto unknown = SubmitEach("nobody", {1});
  EXPECT_EQ(unknown[0]->answers, 1);
  EXPECT_EQ(unknown[0]->status.code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace mlp

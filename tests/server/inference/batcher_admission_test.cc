// The batcher stepped by hand under a fake clock: requests that are refused, dropped or failed,
// that wait for their model, or that are left when it stops. What the others are batched with is in
// batcher_test.cc.

#include <limits>
#include <memory>
#include <string>

#include <gmock/gmock.h>
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

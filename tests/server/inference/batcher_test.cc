// The batcher stepped by hand under a fake clock: what is batched, what is refused, what is
// dropped, and in which turn. The lane's thread is in batcher_lane_test.cc.

#include "server/inference/batcher.h"

#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/retry_delay.h"
#include "tests/server/inference/batch_fixture.h"

namespace mlp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

v1::ServingSettings Limits(int max_batch_rows, int64_t queue_delay_us = 0,
                           int max_queued_requests = 0) {
  v1::ServingSettings limits;
  limits.set_max_batch_rows(max_batch_rows);
  limits.set_queue_delay_us(queue_delay_us);
  limits.set_max_queued_requests(max_queued_requests);
  return limits;
}

// Batches by their rows, as (rows, executions).
std::vector<std::pair<int64_t, int64_t>> Batches(const ModelCounts& counts) {
  std::vector<std::pair<int64_t, int64_t>> batches;
  for (const auto& [rows, times] : counts.batches) batches.emplace_back(rows, times.executions);
  return batches;
}

class BatcherTest : public BatchFixture {
 protected:
  using BatchFixture::BatchFixture;

  // `rows` rows, all different.
  static v1::PredictRequest RowsOf(const std::string& model, int rows) {
    std::vector<float> features;
    for (int i = 0; i < 2 * rows; ++i) features.push_back(0.001f * static_cast<float>(i));
    return Request(model, features);
  }

  std::vector<std::unique_ptr<TestRequest>> SubmitEach(const std::string& model,
                                                       const std::vector<int>& rows) {
    std::vector<std::unique_ptr<TestRequest>> requests;
    for (const int count : rows) requests.push_back(Submit(RowsOf(model, count)));
    return requests;
  }
};

class SmallMemoryBatcherTest : public BatcherTest {
 protected:
  SmallMemoryBatcherTest() : BatcherTest({.max_queued_bytes = 64}) {}
};

class FewLoadsBatcherTest : public BatcherTest {
 protected:
  FewLoadsBatcherTest() : BatcherTest({.max_loading_requests = 2}) {}
};

void ExpectAnswered(const TestRequest& request, int rows) {
  EXPECT_EQ(request.answers, 1);
  EXPECT_TRUE(request.status.ok()) << request.status;
  EXPECT_EQ(request.response.labels_size(), rows);
}

// --- Batches ---

TEST_F(BatcherTest, AnswersWhatIsReadyTogetherInOneBatchOfEachVersion) {
  store_.Publish("m", Diagonal(1));
  store_.Publish("m", Diagonal(-1));
  const auto old = SubmitEach("m@1", {1, 2});
  const auto newest = SubmitEach("m", {3, 4, 5});
  EXPECT_EQ(old[0]->answers, 0);
  RunAll();
  for (int i = 0; i < 2; ++i) ExpectAnswered(*old[static_cast<size_t>(i)], 1 + i);
  for (int i = 0; i < 3; ++i) ExpectAnswered(*newest[static_cast<size_t>(i)], 3 + i);
  EXPECT_EQ(old[1]->response.version(), 1);
  EXPECT_EQ(newest[1]->response.version(), 2);
  EXPECT_THAT(Batches(Counts("m", 1)), ElementsAre(Pair(3, 1)));
  EXPECT_THAT(Batches(Counts("m", 2)), ElementsAre(Pair(12, 1)));
}

TEST_F(BatcherTest, PutsNoMoreRowsIntoABatchThanTheModelAllows) {
  store_.Publish("m", Diagonal(1));
  Limit("m", Limits(4));
  const auto requests = SubmitEach("m", {3, 3, 3, 1});
  RunAll();
  for (size_t i = 0; i < 3; ++i) ExpectAnswered(*requests[i], 3);
  ExpectAnswered(*requests[3], 1);
  EXPECT_THAT(Batches(Counts("m")), ElementsAre(Pair(2, 1), Pair(4, 2)));
}

TEST_F(BatcherTest, AnswersARequestWholeThatIsLargerThanABatch) {
  store_.Publish("m", Diagonal(1));
  Limit("m", Limits(4));
  const auto requests = SubmitEach("m", {11});
  RunAll();
  ExpectAnswered(*requests[0], 11);
  EXPECT_THAT(Batches(Counts("m")), ElementsAre(Pair(3, 1), Pair(4, 2)));
  for (int row = 0; row < 11; ++row) {
    v1::PredictResponse alone;
    const float x = 0.002f * static_cast<float>(row);
    ASSERT_TRUE(RunOne(Request("m", {x, x + 0.001f}), alone).ok());
    EXPECT_NEAR(requests[0]->response.outputs(2 * row), alone.outputs(0), 1e-6) << row;
    EXPECT_NEAR(requests[0]->response.outputs(2 * row + 1), alone.outputs(1), 1e-6) << row;
  }
}

TEST_F(BatcherTest, DoesNotBatchWithOneRowABatch) {
  store_.Publish("m", Diagonal(1));
  Limit("m", Limits(1));
  const auto requests = SubmitEach("m", {1, 1, 1, 2});
  RunAll();
  ExpectAnswered(*requests[3], 2);
  EXPECT_THAT(Batches(Counts("m")), ElementsAre(Pair(1, 5)));
}

TEST_F(BatcherTest, RunsARequestOfSeveralBlocks) {
  store_.Publish("m", Diagonal(1));
  constexpr int kRows = 300;
  const auto requests = SubmitEach("m", {5, kRows});
  RunAll();
  ExpectAnswered(*requests[1], kRows);
  EXPECT_THAT(Batches(Counts("m")), ElementsAre(Pair(kRows + 5, 1)));
  // The whole ascending sequence of inputs: every row is where it belongs.
  const v1::PredictResponse& response = requests[1]->response;
  ASSERT_EQ(response.outputs_size(), 2 * kRows);
  for (int i = 1; i < 2 * kRows; ++i) {
    ASSERT_GT(response.outputs(i), response.outputs(i - 1)) << i;
  }
}

TEST_F(BatcherTest, GivesEachModelOneBatchATurn) {
  store_.Publish("long", Diagonal(1));
  store_.Publish("short", Diagonal(1));
  Limit("long", Limits(1));
  const auto many = SubmitEach("long", std::vector<int>(50, 1));
  const auto few = SubmitEach("short", {1});
  EXPECT_EQ(batcher_.RunReady(worker_), absl::ZeroDuration());
  EXPECT_EQ(few[0]->answers, 1);
  EXPECT_EQ(many[0]->answers, 1);
  EXPECT_EQ(many[1]->answers, 0);
  RunAll();
  ExpectAnswered(*many[49], 1);
  EXPECT_EQ(batcher_.RunReady(worker_), absl::InfiniteDuration());
}

// --- The delay ---

TEST_F(BatcherTest, HoldsABatchBackUntilItIsDue) {
  store_.Publish("m", Diagonal(1));
  Limit("m", Limits(100, 1000));
  const auto first = SubmitEach("m", {1});
  EXPECT_EQ(batcher_.RunReady(worker_), absl::Microseconds(1000));
  clock_.Advance(absl::Microseconds(400));
  const auto second = SubmitEach("m", {1});  // waits no longer than the first one
  EXPECT_EQ(batcher_.RunReady(worker_), absl::Microseconds(600));
  EXPECT_EQ(first[0]->answers, 0);
  clock_.Advance(absl::Microseconds(600));
  EXPECT_EQ(batcher_.RunReady(worker_), absl::InfiniteDuration());
  ExpectAnswered(*first[0], 1);
  ExpectAnswered(*second[0], 1);
  EXPECT_THAT(Batches(Counts("m")), ElementsAre(Pair(2, 1)));
}

TEST_F(BatcherTest, RunsAFullBatchBeforeItIsDue) {
  store_.Publish("m", Diagonal(1));
  Limit("m", Limits(4, 1000));
  const auto requests = SubmitEach("m", {3, 1});
  EXPECT_EQ(batcher_.RunReady(worker_), absl::InfiniteDuration());
  ExpectAnswered(*requests[0], 3);
  ExpectAnswered(*requests[1], 1);
}

TEST_F(BatcherTest, SaysWhenTheRestOfAFullBatchIsDue) {
  store_.Publish("m", Diagonal(1));
  Limit("m", Limits(4, 1000));
  const auto requests = SubmitEach("m", {4, 1});
  clock_.Advance(absl::Microseconds(100));
  EXPECT_EQ(batcher_.RunReady(worker_), absl::Microseconds(900));
  ExpectAnswered(*requests[0], 4);
  EXPECT_EQ(requests[1]->answers, 0);
  clock_.Advance(absl::Microseconds(900));
  RunAll();
  ExpectAnswered(*requests[1], 1);
}

TEST_F(BatcherTest, OneModelsDelayHoldsUpNoOther) {
  store_.Publish("slow", Diagonal(1));
  store_.Publish("quick", Diagonal(1));
  Limit("slow", Limits(100, 1000));
  const auto slow = SubmitEach("slow", {1});
  const auto quick = SubmitEach("quick", {1});
  EXPECT_EQ(batcher_.RunReady(worker_), absl::Microseconds(1000));
  EXPECT_EQ(slow[0]->answers, 0);
  ExpectAnswered(*quick[0], 1);
  clock_.Advance(absl::Microseconds(1000));
  RunAll();
  ExpectAnswered(*slow[0], 1);
}

// --- Full queues ---

TEST_F(BatcherTest, RefusesAtOnceWhatTheModelsQueueDoesNotHold) {
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

TEST_F(BatcherTest, DropsWhatNobodyWaitsForBeforeItIsComputed) {
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

TEST_F(BatcherTest, ExecutesNothingWhereNobodyWaits) {
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

TEST_F(BatcherTest, NotANumberFailsOnlyTheRequestThatHasIt) {
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

TEST_F(BatcherTest, ComputesNoFurtherRowsOfARequestThatHasFailed) {
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

// --- Statistics ---

TEST_F(BatcherTest, CountsAddUp) {
  store_.Publish("m", Diagonal(1));
  Limit("m", Limits(7, 0, 20));
  const auto requests = SubmitEach("m", {1, 5, 9, 2, 8, 3, 20, 1, 1});
  const auto bad = Submit(Request("m", {1, 2, 3}));
  clock_.Advance(absl::Microseconds(3));
  RunAll();
  const ModelCounts counts = Counts("m");
  int64_t executions = 0, rows = 0;
  for (const auto& [size, times] : counts.batches) {
    executions += times.executions;
    rows += size * times.executions;
  }
  EXPECT_EQ(executions, counts.executions);
  EXPECT_EQ(executions, 8);  // 50 rows by 7
  EXPECT_EQ(rows, 50);
  EXPECT_EQ(counts.rows, 50);
  EXPECT_EQ(counts.success.count, 9);
  EXPECT_EQ(counts.success.ns, 9 * 3000);
  EXPECT_EQ(counts.queue.count, 9);
  EXPECT_EQ(counts.queue.ns, 9 * 3000);
  EXPECT_EQ(counts.infer.count, 9);
  EXPECT_EQ(counts.fail.count, 1);
  EXPECT_EQ(counts.last_inference_ms, absl::ToUnixMillis(clock_.Now()));
}

// --- Loading ---

TEST_F(BatcherTest, RequestsWaitForTheirModelAndShareItsLoad) {
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

TEST_F(BatcherTest, RequestsGetTheErrorOfTheirModelsLoad) {
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

TEST_F(BatcherTest, StopFinishesWhatWaitsWithUnavailable) {
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

TEST_F(BatcherTest, RequestsThatComeAfterStopAreUnavailable) {
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

// The batcher stepped by hand under a fake clock: what is batched, when, in which turn, and what is
// counted. What never comes into a batch is in batcher_admission_test.cc, the lane's thread in
// batcher_lane_test.cc.

#include "server/inference/batcher.h"

#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/inference/batch_fixture.h"

namespace mlp {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

using BatcherTest = BatchFixture;

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

TEST_F(BatcherTest, ARequestWaitsForOneBatchOfALargerOneBeforeIt) {
  store_.Publish("m", Diagonal(1));
  Limit("m", Limits(4));
  const auto large = SubmitEach("m", {19});
  const auto small = SubmitEach("m", {1, 2});
  batcher_.RunReady(worker_);
  EXPECT_EQ(small[0]->answers, 0);
  batcher_.RunReady(worker_);  // both, and another row of the large one
  ExpectAnswered(*small[0], 1);
  ExpectAnswered(*small[1], 2);
  const auto later = SubmitEach("m", {3});
  batcher_.RunReady(worker_);  // the large one's turn
  EXPECT_EQ(later[0]->answers, 0);
  batcher_.RunReady(worker_);
  ExpectAnswered(*later[0], 3);
  EXPECT_EQ(large[0]->answers, 0);
  RunAll();
  ExpectAnswered(*large[0], 19);
}

TEST_F(BatcherTest, LargeRequestsOfOneModelTakeTurns) {
  store_.Publish("m", Diagonal(1));
  Limit("m", Limits(4));
  const auto requests = SubmitEach("m", {400, 9});
  for (int batch = 0; batch < 5; ++batch) batcher_.RunReady(worker_);
  EXPECT_EQ(requests[1]->answers, 0);
  batcher_.RunReady(worker_);
  ExpectAnswered(*requests[1], 9);
  EXPECT_EQ(requests[0]->answers, 0);
  RunAll();
  ExpectAnswered(*requests[0], 400);
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

TEST_F(BatcherTest, ARequestThatHasBegunIsNotDelayedAgain) {
  store_.Publish("m", Diagonal(1));
  Limit("m", Limits(4, 1000));
  const auto requests = SubmitEach("m", {5});
  EXPECT_EQ(batcher_.RunReady(worker_), absl::ZeroDuration());
  EXPECT_EQ(batcher_.RunReady(worker_), absl::InfiniteDuration());
  ExpectAnswered(*requests[0], 5);
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

}  // namespace
}  // namespace mlp

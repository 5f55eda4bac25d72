// What Store promises of progress points.
#include <cmath>
#include <limits>
#include <thread>
#include <utility>

#include "tests/server/store/store_contract.h"

namespace mlp::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<int> Iterations(const std::vector<ProgressPoint>& points) {
  std::vector<int> iterations;
  iterations.reserve(points.size());
  for (const ProgressPoint& point : points) iterations.push_back(point.iteration);
  return iterations;
}

TEST_P(StoreContract, ProgressSurvivesReopeningToTheBit) {
  const int64_t id = AddJob("model", v1::JOB_STATE_RUNNING).id();
  ProgressPoint full = MakePoint(1, 0.1);
  full.validation_cost = 0.0;
  full.gradient_norm = 1e-300;
  full.step = -0.0;
  full.cost_evaluations = int64_t{1} << 40;
  full.elapsed_seconds = 1.0 / 3.0;
  full.examples_per_second = 2.0 / 3.0;
  full.seconds_left = 0.0;
  ProgressPoint wild = MakePoint(2, std::numeric_limits<double>::quiet_NaN());
  wild.gradient_norm = std::numeric_limits<double>::infinity();
  ASSERT_THAT(store().AppendProgress(id, {MakePoint(0, 3.25), full, wild}), IsOk());
  Reopen();
  const std::vector<ProgressPoint> points = store().ReadProgress(id, 0, 10).value();
  ASSERT_THAT(Iterations(points), ElementsAre(0, 1, 2));
  EXPECT_EQ(points[0].cost, 3.25);
  EXPECT_FALSE(points[0].validation_cost.has_value());
  EXPECT_EQ(points[1].cost, 0.1);
  EXPECT_EQ(points[1].validation_cost, 0.0);
  EXPECT_EQ(points[1].gradient_norm, 1e-300);
  EXPECT_TRUE(std::signbit(points[1].step));
  EXPECT_EQ(points[1].cost_evaluations, int64_t{1} << 40);
  EXPECT_EQ(points[1].elapsed_seconds, 1.0 / 3.0);
  EXPECT_EQ(points[1].examples_per_second, 2.0 / 3.0);
  EXPECT_EQ(points[1].seconds_left, 0.0);
  EXPECT_FALSE(points[0].seconds_left.has_value());
  EXPECT_TRUE(std::isnan(points[2].cost));
  EXPECT_TRUE(std::isinf(points[2].gradient_norm));
}

TEST_P(StoreContract, ProgressIsReadInOrderFromAnyIteration) {
  const int64_t id = AddJob("model", v1::JOB_STATE_RUNNING).id();
  ASSERT_THAT(store().AppendProgress(id, {MakePoint(3, 1), MakePoint(10, 1)}), IsOk());
  ASSERT_THAT(store().AppendProgress(id, {MakePoint(0, 1), MakePoint(9, 1)}), IsOk());
  EXPECT_THAT(Iterations(store().ReadProgress(id, 0, 10).value()), ElementsAre(0, 3, 9, 10));
  EXPECT_THAT(Iterations(store().ReadProgress(id, 1, 2).value()), ElementsAre(3, 9));
  EXPECT_THAT(Iterations(store().ReadProgress(id, 9, 10).value()), ElementsAre(9, 10));
  EXPECT_THAT(store().ReadProgress(id, 11, 10).value(), IsEmpty());
  EXPECT_THAT(store().ReadProgress(id, 0, 0).value(), IsEmpty());
  EXPECT_THAT(store().ReadProgress(id, 0, -1).value(), IsEmpty());
  EXPECT_THAT(store().ReadProgress(id + 1, 0, 10).value(), IsEmpty());
}

TEST_P(StoreContract, ProgressOfAnIterationIsReplaced) {
  const int64_t id = AddJob("model", v1::JOB_STATE_RUNNING).id();
  ASSERT_THAT(store().AppendProgress(id, {MakePoint(0, 1), MakePoint(1, 2)}), IsOk());
  ASSERT_THAT(store().AppendProgress(id, {MakePoint(1, 5)}), IsOk());
  const std::vector<ProgressPoint> points = store().ReadProgress(id, 0, 10).value();
  ASSERT_THAT(Iterations(points), ElementsAre(0, 1));
  EXPECT_EQ(points[1].cost, 5);
}

TEST_P(StoreContract, ProgressOfTheNewestPointIsShownWithTheJob) {
  v1::TrainingJob job = AddJob("model", v1::JOB_STATE_RUNNING);
  EXPECT_FALSE(store().GetJob(job.id()).value().has_progress());
  ASSERT_THAT(store().AppendProgress(job.id(), {MakePoint(0, 4), MakePoint(7, 2.5)}), IsOk());
  EXPECT_EQ(store().GetJob(job.id()).value().progress().iteration(), 7);
  EXPECT_EQ(store().GetJob(job.id()).value().progress().cost(), 2.5);
  EXPECT_EQ(store().ListJobs({}, {}).value().items[0].progress().iteration(), 7);
  EXPECT_EQ(store().UnfinishedJobs().value()[0].progress().iteration(), 7);

  // UpdateJob has no say in it.
  job.mutable_progress()->set_iteration(99);
  job.set_state(v1::JOB_STATE_QUEUED);
  ASSERT_THAT(store().UpdateJob(job, v1::JOB_STATE_RUNNING), IsOk());
  EXPECT_EQ(store().GetJob(job.id()).value().progress().iteration(), 7);

  // A job that began anew after a restart is where it is now, not where it was.
  ASSERT_THAT(store().AppendProgress(job.id(), {MakePoint(0, 4), MakePoint(1, 3)}), IsOk());
  EXPECT_EQ(store().GetJob(job.id()).value().progress().iteration(), 1);
}

TEST_P(StoreContract, ProgressOfAnUnknownJobIsRefused) {
  EXPECT_THAT(store().AppendProgress(5, {MakePoint(0, 1)}),
              HasStatus(absl::StatusCode::kNotFound, "job 5"));
  EXPECT_THAT(store().ReadProgress(5, 0, 10).value(), IsEmpty());
}

TEST_P(StoreContract, ProgressOfJobsAtTheSameTimeDoesNotMix) {
  const int64_t first = AddJob("model", v1::JOB_STATE_RUNNING).id();
  const int64_t second = AddJob("model", v1::JOB_STATE_RUNNING).id();
  std::vector<std::thread> threads;
  threads.reserve(2);
  for (const int64_t id : {first, second}) {
    threads.emplace_back([this, id] {
      for (int i = 0; i < 30; ++i) {
        EXPECT_THAT(store().AppendProgress(id, {MakePoint(i, static_cast<double>(id))}), IsOk());
        EXPECT_EQ(store().ReadProgress(id, 0, 100).value().size(), static_cast<size_t>(i) + 1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int64_t id : {first, second}) {
    const std::vector<ProgressPoint> points = store().ReadProgress(id, 0, 100).value();
    EXPECT_EQ(points.size(), 30);
    for (const ProgressPoint& point : points) {
      EXPECT_EQ(point.cost, static_cast<double>(id));
    }
  }
}

}  // namespace
}  // namespace mlp::testing

#include "core/optim/minimization_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/optim/test_functions.h"

namespace mlp {
namespace {

using testing::HasSubstr;

class MinimizationRecordTest : public testing::Test {
 protected:
  void Accept(double theta, double cost) {
    record_.Accept(&theta, cost, /*gradient_norm=*/1.0, /*gradient_max=*/1.0, /*step=*/1.0);
  }

  SetClock clock_;
  FunctionOf parabola_{1, Parabola};
  StepLog log_{1};
  MinimizationRecord record_{parabola_, {Vector<double>::Zero(1)},      {.cost_tolerance = 0.0},
                             clock_,    std::stop_source().get_token(), &log_};
};

// A line search only accepts lower costs; the next optimizer need not.
TEST_F(MinimizationRecordTest, KeepsTheBestAndNotTheLastStep) {
  Accept(1.0, 10.0);
  Accept(2.0, 5.0);
  Accept(3.0, 7.0);
  EXPECT_FALSE(record_.stopped());
  const OptimizerResult result = std::move(record_).Finish();
  EXPECT_EQ(result.initial_cost, 10.0);
  EXPECT_EQ(result.best_cost, 5.0);
  EXPECT_EQ(result.best_theta[0], 2.0);
  EXPECT_EQ(result.iterations, 2);
  EXPECT_EQ(log_.steps.size(), 3u);
}

TEST_F(MinimizationRecordTest, StopsWhereAnAcceptedCostHasRunAway) {
  Accept(1.0, 1.0);
  Accept(2.0, 2e6);
  EXPECT_FALSE(record_.stopped());
  Accept(3.0, 2.1e6);
  EXPECT_TRUE(record_.stopped());
  const OptimizerResult result = std::move(record_).Finish();
  EXPECT_EQ(result.reason, StopReason::kDiverged);
  EXPECT_THAT(result.message, HasSubstr("iteration 2: J ran away from 1 to 2.1e+06"));
  EXPECT_EQ(result.best_theta[0], 1.0);
}

TEST_F(MinimizationRecordTest, StopsWhereTheObserverSaysSo) {
  Accept(1.0, 10.0);
  log_.verdict = {StopReason::kEarlyStopped, "long enough"};
  Accept(2.0, 5.0);
  EXPECT_TRUE(record_.stopped());
  const OptimizerResult result = std::move(record_).Finish();
  EXPECT_EQ(result.reason, StopReason::kEarlyStopped);
  EXPECT_EQ(result.message, "long enough");
  EXPECT_EQ(result.best_theta[0], 2.0);
  EXPECT_EQ(result.best_iteration, 1);
}

TEST_F(MinimizationRecordTest, ConvergesOverAWindowOfIterations) {
  MinimizationRecord record(parabola_, {Vector<double>::Zero(1)},
                            {.cost_tolerance = 0.1, .cost_window = 3}, clock_, {}, nullptr);
  const double theta = 0.0;
  for (const double cost : {10.0, 9.9, 9.8}) {
    record.Accept(&theta, cost, 1.0, 1.0, 1.0);
    EXPECT_FALSE(record.stopped());
  }
  record.Accept(&theta, 9.7, 1.0, 1.0, 1.0);
  EXPECT_TRUE(record.stopped());
  EXPECT_EQ(std::move(record).Finish().reason, StopReason::kConverged);
}

TEST_F(MinimizationRecordTest, GoesOnAfterIterationsAndTimeBeforeIt) {
  const StoppingOptions stopping = {
      .max_iterations = 12, .cost_tolerance = 0.0, .time_limit = absl::Seconds(20)};
  const MinimizationStart start = {
      .theta = Vector<double>::Zero(1), .iteration = 10, .elapsed = absl::Seconds(15)};
  const double theta = 0.0;
  double cost = 0.0;
  {
    MinimizationRecord record(parabola_, start, stopping, clock_, {}, &log_);
    record.Accept(&theta, 10.0, 1.0, 1.0, 1.0);
    record.Accept(&theta, 9.0, 1.0, 1.0, 1.0);
    EXPECT_FALSE(record.stopped());
    record.Accept(&theta, 8.0, 1.0, 1.0, 1.0);
    EXPECT_TRUE(record.stopped());
    EXPECT_EQ(log_.steps[0].iteration, 10);
    const OptimizerResult result = std::move(record).Finish();
    EXPECT_EQ(result.message, "reached the limit of 12 iterations");
    EXPECT_EQ(result.iterations, 12);
    EXPECT_EQ(result.best_iteration, 12);
  }
  MinimizationRecord record(parabola_, start, stopping, clock_, {}, nullptr);
  clock_.elapsed += absl::Seconds(4);
  EXPECT_TRUE(record.Evaluate(&theta, &cost, nullptr));
  clock_.elapsed += absl::Seconds(1);
  EXPECT_FALSE(record.Evaluate(&theta, &cost, nullptr));
  EXPECT_EQ(std::move(record).Finish().reason, StopReason::kTimeLimit);
}

TEST_F(MinimizationRecordTest, ComputesNothingMoreOnceItHasStopped) {
  Accept(1.0, 1.0);
  Accept(2.0, 1.0);  // no change: converged
  EXPECT_TRUE(record_.stopped());
  const double theta = 0.0;
  double cost = 0.0;
  double gradient = 0.0;
  EXPECT_FALSE(record_.Evaluate(&theta, &cost, &gradient));
  EXPECT_EQ(parabola_.evaluations, 0);
}

TEST_F(MinimizationRecordTest, RefusesGradientsThatWouldOverflowWhenSquared) {
  FunctionOf steep(1, [](const double*, double* gradient) {
    gradient[0] = 1e160;
    return 1.0;
  });
  MinimizationRecord record(steep, {Vector<double>::Zero(1)}, {}, clock_, {}, nullptr);
  const double theta = 0.0;
  double cost = 0.0;
  double gradient = 0.0;
  EXPECT_FALSE(record.Evaluate(&theta, &cost, &gradient));
  EXPECT_THAT(std::move(record).Finish().message, HasSubstr("iteration 0: the gradient is inf"));
}

}  // namespace
}  // namespace mlp

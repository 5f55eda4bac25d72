// Every way in which a minimization ends, and what it leaves behind.
#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/optim/optimizer.h"
#include "tests/core/optim/test_functions.h"

namespace mlp {
namespace {

using testing::HasSubstr;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr StoppingOptions kNever = {.cost_tolerance = 0.0, .gradient_tolerance = 0.0};

class OptimizerStop : public testing::TestWithParam<OptimizerKind> {
 protected:
  OptimizerResult Minimize(CostFunction& cost, const StoppingOptions& stopping,
                           std::stop_token stop = {}) {
    return MakeOptimizer({.kind = GetParam()}, clock_)
        ->Minimize(cost, {.theta = start_}, stopping, std::move(stop), &log_);
  }

  // What must hold however it ended.
  void ExpectBestIsLowestAccepted(const OptimizerResult& result) {
    ASSERT_FALSE(log_.steps.empty());
    EXPECT_EQ(result.iterations, log_.steps.back().iteration);
    EXPECT_EQ(result.initial_cost, log_.steps[0].cost);
    size_t best = 0;
    for (size_t i = 1; i < log_.steps.size(); ++i) {
      if (log_.steps[i].cost < log_.steps[best].cost) best = i;
    }
    EXPECT_EQ(result.best_cost, log_.steps[best].cost);
    EXPECT_EQ(result.best_theta, log_.thetas[best]);
    EXPECT_TRUE(std::isfinite(result.best_cost));
    EXPECT_FALSE(result.message.empty());
  }

  SetClock clock_;
  StepLog log_{2};
  Vector<double> start_ = (Vector<double>(2) << -1.2, 1.0).finished();
};

INSTANTIATE_TEST_SUITE_P(Kinds, OptimizerStop,
                         testing::Values(OptimizerKind::kLbfgs, OptimizerKind::kConjugateGradient),
                         [](const auto& tested) {
                           return tested.param == OptimizerKind::kLbfgs ? "Lbfgs"
                                                                        : "ConjugateGradient";
                         });

TEST_P(OptimizerStop, AtTheIterationLimit) {
  FunctionOf cost(2, Rosenbrock);
  const OptimizerResult result = Minimize(cost, {.max_iterations = 5});
  EXPECT_EQ(result.reason, StopReason::kMaxIterations);
  EXPECT_EQ(result.iterations, 5);
  ExpectBestIsLowestAccepted(result);
}

TEST_P(OptimizerStop, AtTheCostTolerance) {
  FunctionOf cost(2, Rosenbrock);
  const OptimizerResult result = Minimize(cost, {.cost_tolerance = 0.2, .gradient_tolerance = 0.0});
  EXPECT_EQ(result.reason, StopReason::kConverged);
  ExpectBestIsLowestAccepted(result);
  // The last change is within the tolerance, and no change before it is.
  for (size_t i = 1; i < log_.steps.size(); ++i) {
    const double before = log_.steps[i - 1].cost;
    EXPECT_EQ(before - log_.steps[i].cost <= 0.2 * before, i + 1 == log_.steps.size()) << i;
  }
}

TEST_P(OptimizerStop, AtTheGradientTolerance) {
  FunctionOf cost(2, Rosenbrock);
  const OptimizerResult result = Minimize(cost, {.cost_tolerance = 0.0, .gradient_tolerance = 0.5});
  EXPECT_EQ(result.reason, StopReason::kConverged);
  ExpectBestIsLowestAccepted(result);
  for (size_t i = 0; i < log_.steps.size(); ++i) {
    double gradient[2];
    Rosenbrock(log_.thetas[i].data(), gradient);
    const double largest = std::max(std::abs(gradient[0]), std::abs(gradient[1]));
    EXPECT_EQ(largest <= 0.5, i + 1 == log_.steps.size()) << i;
  }
}

TEST_P(OptimizerStop, AtOnceWhereTheStartIsTheMinimum) {
  start_ << 1.0, 1.0;
  FunctionOf cost(2, Rosenbrock);
  const OptimizerResult result = Minimize(cost, {});
  EXPECT_EQ(result.reason, StopReason::kConverged);
  EXPECT_EQ(result.iterations, 0);
  EXPECT_EQ(log_.steps.size(), 1u);
  ExpectBestIsLowestAccepted(result);
}

TEST_P(OptimizerStop, WhenCancelledBeforeItBegan) {
  std::stop_source source;
  source.request_stop();
  FunctionOf cost(2, Rosenbrock);
  const OptimizerResult result = Minimize(cost, kNever, source.get_token());
  EXPECT_EQ(result.reason, StopReason::kCancelled);
  EXPECT_EQ(cost.evaluations, 0);
  EXPECT_EQ(result.best_theta, start_);
}

TEST_P(OptimizerStop, WithinOneEvaluationOfBeingCancelled) {
  // Cancelled during the n-th evaluation, whether that is a trial of a line search or accepted.
  for (int n = 1; n <= 12; ++n) {
    log_ = StepLog(2);
    std::stop_source source;
    FunctionOf cost(2, nullptr);
    cost = FunctionOf(2, [&](const double* theta, double* gradient) {
      if (cost.evaluations == n) source.request_stop();
      return Rosenbrock(theta, gradient);
    });
    const OptimizerResult result = Minimize(cost, kNever, source.get_token());
    EXPECT_EQ(result.reason, StopReason::kCancelled) << n;
    EXPECT_EQ(cost.evaluations, n);
    EXPECT_EQ(result.cost_evaluations, n);
    ExpectBestIsLowestAccepted(result);
  }
}

TEST_P(OptimizerStop, WithinOneEvaluationOfTheTimeLimit) {
  FunctionOf cost(2, [this](const double* theta, double* gradient) {
    clock_.elapsed += absl::Seconds(1);
    return Rosenbrock(theta, gradient);
  });
  const OptimizerResult result =
      Minimize(cost, {.cost_tolerance = 0.0, .time_limit = absl::Seconds(7)});
  EXPECT_EQ(result.reason, StopReason::kTimeLimit);
  EXPECT_EQ(cost.evaluations, 7);
  EXPECT_GT(result.iterations, 0);
  ExpectBestIsLowestAccepted(result);
}

TEST_P(OptimizerStop, AsDivergedWhereTheStartIsNotFinite) {
  for (const double value : {std::nan(""), kInfinity, -kInfinity}) {
    FunctionOf cost(2, [value](const double*, double* gradient) {
      gradient[0] = gradient[1] = 1.0;
      return value;
    });
    const OptimizerResult result = Minimize(cost, {});
    EXPECT_EQ(result.reason, StopReason::kDiverged);
    EXPECT_EQ(result.iterations, 0);
    EXPECT_THAT(result.message, HasSubstr("iteration 0: J is"));
    EXPECT_EQ(result.best_theta, start_);
    EXPECT_TRUE(log_.steps.empty());
    EXPECT_EQ(cost.evaluations, 1);
  }
}

TEST_P(OptimizerStop, AsDivergedWhereTheFirstGradientIsNotFinite) {
  for (const double value : {std::nan(""), kInfinity}) {
    FunctionOf cost(2, [value](const double*, double* gradient) {
      gradient[0] = 1.0;
      gradient[1] = value;
      return 2.0;
    });
    const OptimizerResult result = Minimize(cost, {});
    EXPECT_EQ(result.reason, StopReason::kDiverged);
    EXPECT_THAT(result.message, HasSubstr("iteration 0: the gradient is"));
  }
}

TEST_P(OptimizerStop, AsDivergedNamingTheIterationWhereJBecomesNan) {
  // Good for the start and three steps, then NaN for ever.
  FunctionOf cost(2, [this](const double* theta, double* gradient) {
    const double value = Rosenbrock(theta, gradient);
    return log_.steps.size() >= 4 ? std::nan("") : value;
  });
  const OptimizerResult result = Minimize(cost, kNever);
  EXPECT_EQ(result.reason, StopReason::kDiverged);
  EXPECT_EQ(result.iterations, 3);
  EXPECT_THAT(result.message, HasSubstr("iteration 4: J is nan"));
  ExpectBestIsLowestAccepted(result);
}

TEST_P(OptimizerStop, AsDivergedWhereTheGradientBecomesInfinite) {
  FunctionOf cost(2, [this](const double* theta, double* gradient) {
    const double value = Rosenbrock(theta, gradient);
    if (log_.steps.size() >= 2) gradient[1] = kInfinity;
    return value;
  });
  const OptimizerResult result = Minimize(cost, kNever);
  EXPECT_EQ(result.reason, StopReason::kDiverged);
  EXPECT_THAT(result.message, HasSubstr("iteration 2: the gradient is inf"));
  ExpectBestIsLowestAccepted(result);
}

TEST_P(OptimizerStop, AsDivergedWhereJRunsAway) {
  FunctionOf cost(2, [this](const double* theta, double* gradient) {
    const double value = Rosenbrock(theta, gradient);
    return log_.steps.size() >= 3 ? 1e9 : value;
  });
  const OptimizerResult result = Minimize(cost, kNever);
  EXPECT_EQ(result.reason, StopReason::kDiverged);
  EXPECT_THAT(result.message, HasSubstr("iteration 3: J ran away from 24.2 to 1e+09"));
  ExpectBestIsLowestAccepted(result);
}

TEST_P(OptimizerStop, NotWhereATrialIsTooFar) {
  // Not a number beyond 0.3. From 0 with gradient -2 the trials are 1, 1/2 and 1/4; the last is
  // good for L-BFGS, and leads conjugate gradient, whose line search is nearly exact, to the
  // minimum.
  start_ << 0.0, 0.0;
  int beyond = 0;
  FunctionOf cost(2, [&beyond](const double* theta, double* gradient) {
    const double distance = theta[0] - 0.2;
    gradient[0] = 10.0 * distance;
    gradient[1] = 0.0;
    beyond += theta[0] > 0.3 ? 1 : 0;
    return theta[0] > 0.3 ? std::nan("") : 5.0 * distance * distance;
  });
  const OptimizerResult result =
      Minimize(cost, {.cost_tolerance = 0.0, .gradient_tolerance = 1e-6});
  EXPECT_EQ(result.reason, StopReason::kConverged) << result.message;
  EXPECT_GE(beyond, 2);
  EXPECT_NEAR(log_.thetas[1][0], GetParam() == OptimizerKind::kLbfgs ? 0.25 : 0.2, 1e-15);
  EXPECT_NEAR(result.best_theta[0], 0.2, 1e-6);
  ExpectBestIsLowestAccepted(result);
}

TEST_P(OptimizerStop, AsConvergedWhereNoStepIsLower) {
  // The gradient points the wrong way, as noise makes it at a minimum: no trial is lower.
  FunctionOf cost(2, [](const double* theta, double* gradient) {
    gradient[0] = -2.0 * theta[0];
    gradient[1] = -2.0 * theta[1];
    return theta[0] * theta[0] + theta[1] * theta[1];
  });
  const OptimizerResult result = Minimize(cost, kNever);
  EXPECT_EQ(result.reason, StopReason::kConverged);
  EXPECT_THAT(result.message, HasSubstr("no further decrease of J was found at float precision"));
  EXPECT_EQ(result.iterations, 0);
  EXPECT_EQ(result.best_theta, start_);
  ExpectBestIsLowestAccepted(result);
}

TEST_P(OptimizerStop, QuietlyOnStderr) {
  testing::internal::CaptureStderr();
  FunctionOf wrong(2, [](const double* theta, double* gradient) {
    const double value = Rosenbrock(theta, gradient);
    gradient[0] = -gradient[0];
    return value;
  });
  Minimize(wrong, kNever);
  FunctionOf nan(2, [this](const double* theta, double* gradient) {
    const double value = Rosenbrock(theta, gradient);
    return log_.steps.size() >= 4 ? std::nan("") : value;
  });
  Minimize(nan, kNever);
  FunctionOf noisy(2, [this](const double* theta, double* gradient) {
    return static_cast<float>(Rosenbrock(theta, gradient));
  });
  Minimize(noisy, kNever);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace mlp

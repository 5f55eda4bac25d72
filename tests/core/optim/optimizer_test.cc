#include "core/optim/optimizer.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/core/optim/test_functions.h"

namespace mlp {
namespace {

constexpr OptimizerKind kBoth[] = {OptimizerKind::kLbfgs, OptimizerKind::kConjugateGradient};

Vector<double> At(std::initializer_list<double> values) {
  Vector<double> theta(static_cast<Eigen::Index>(values.size()));
  Eigen::Index i = 0;
  for (const double value : values) theta[i++] = value;
  return theta;
}

OptimizerResult Minimize(OptimizerKind kind, CostFunction& cost, const Vector<double>& start,
                         const StoppingOptions& stopping, StepObserver* observer = nullptr) {
  return MakeOptimizer({.kind = kind}, Clock::System())
      ->Minimize(cost, {.theta = start}, stopping, {}, observer);
}

constexpr StoppingOptions kTight = {.cost_tolerance = 1e-15, .gradient_tolerance = 1e-9};

TEST(Optimizer, FirstLbfgsStepByHand) {
  // From 0: J = 9/2, gradient -3, direction 3. The first step length tried is min(1, 1/3), so
  // Theta = 1: J = 2, slope -2 * 3 = -6. Wolfe: 2 <= 4.5 - 1e-4 * 9/3 and 6 <= 0.9 * 9: accepted.
  FunctionOf parabola(1, Parabola);
  StepLog log(1);
  Minimize(OptimizerKind::kLbfgs, parabola, At({0.0}), {.max_iterations = 1}, &log);
  ASSERT_EQ(log.steps.size(), 2u);
  EXPECT_EQ(log.steps[0].iteration, 0);
  EXPECT_EQ(log.steps[0].cost, 4.5);
  EXPECT_EQ(log.steps[0].gradient_norm, 3.0);
  EXPECT_EQ(log.steps[0].step, 0.0);
  EXPECT_EQ(log.steps[0].cost_evaluations, 1);
  EXPECT_EQ(log.thetas[0][0], 0.0);
  EXPECT_EQ(log.steps[1].iteration, 1);
  EXPECT_NEAR(log.steps[1].cost, 2.0, 1e-14);
  EXPECT_NEAR(log.steps[1].gradient_norm, 2.0, 1e-14);
  EXPECT_NEAR(log.steps[1].step, 1.0 / 3.0, 1e-15);
  EXPECT_EQ(log.steps[1].cost_evaluations, 2);
  EXPECT_NEAR(log.thetas[1][0], 1.0, 1e-14);
}

TEST(Optimizer, SecondLbfgsStepByHand) {
  // From Theta = 1 with s = 1, y = 1: the inverse Hessian is exact, direction 2. The step length
  // tried is min(1, 2 (2 - 9/2) / (-2 * 2)) = 1: Theta = 3, the minimum, where the gradient is 0.
  FunctionOf parabola(1, Parabola);
  StepLog log(1);
  const OptimizerResult result = Minimize(OptimizerKind::kLbfgs, parabola, At({0.0}), kTight, &log);
  ASSERT_EQ(log.steps.size(), 3u);
  EXPECT_EQ(log.steps[2].iteration, 2);
  EXPECT_NEAR(log.thetas[2][0], 3.0, 1e-14);
  EXPECT_EQ(result.reason, StopReason::kConverged);
  EXPECT_EQ(result.iterations, 2);
  EXPECT_NEAR(result.best_theta[0], 3.0, 1e-14);
}

TEST(Optimizer, ConjugateGradientStepsByHand) {
  // J = (x^2 + 4 y^2) / 2 from (4, 1): J = 10, g_0 = (4, 4), direction -g_0, slope -32. The step
  // length tried first is 1/4, where the slope is -12, more than a tenth of 32; the cubic through
  // both is exact on a quadratic: 0.4, so (2.4, -0.6), where J = 3.6. g_1 = (2.4, -2.4):
  // Polak-Ribiere beta = g_1 (g_1 - g_0) / g_0^2 = (-3.84 + 15.36) / 32 = 0.36, direction
  // (-3.84, 0.96), along which 0.625 is the minimum, at (0, 0).
  FunctionOf bowl(2, [](const double* theta, double* gradient) {
    gradient[0] = theta[0];
    gradient[1] = 4.0 * theta[1];
    return 0.5 * (theta[0] * gradient[0] + theta[1] * gradient[1]);
  });
  StepLog log(2);
  Minimize(OptimizerKind::kConjugateGradient, bowl, At({4.0, 1.0}), {.max_iterations = 2}, &log);
  ASSERT_EQ(log.steps.size(), 3u);
  EXPECT_NEAR(log.steps[1].step, 0.4, 1e-12);
  EXPECT_NEAR(log.steps[1].cost, 3.6, 1e-12);
  EXPECT_NEAR(log.thetas[1][0], 2.4, 1e-12);
  EXPECT_NEAR(log.thetas[1][1], -0.6, 1e-12);
  EXPECT_NEAR(log.steps[2].cost, 0.0, 1e-20);
  EXPECT_NEAR(log.thetas[2][0], 0.0, 1e-12);
  EXPECT_NEAR(log.thetas[2][1], 0.0, 1e-12);
}

TEST(Optimizer, ConjugateGradientTakesLongStepsAtOnceWhereJIsFlat) {
  // A 64th of the bowl above: the same points with steps 64 times as long, 25.6 and 40. Trial and
  // interpolation are two evaluations each; a first trial of 1 would need a third one.
  FunctionOf bowl(2, [](const double* theta, double* gradient) {
    gradient[0] = theta[0] / 64.0;
    gradient[1] = 4.0 * theta[1] / 64.0;
    return 0.5 * (theta[0] * gradient[0] + theta[1] * gradient[1]);
  });
  StepLog log(2);
  Minimize(OptimizerKind::kConjugateGradient, bowl, At({4.0, 1.0}),
           {.max_iterations = 2, .cost_tolerance = 0.0, .gradient_tolerance = 0.0}, &log);
  ASSERT_EQ(log.steps.size(), 3u);
  EXPECT_NEAR(log.steps[0].gradient_norm, std::sqrt(32.0) / 64.0, 1e-15);
  EXPECT_NEAR(log.steps[1].step, 25.6, 1e-10);
  EXPECT_NEAR(log.steps[1].cost, 3.6 / 64.0, 1e-14);
  EXPECT_EQ(log.steps[1].cost_evaluations, 3);
  EXPECT_NEAR(log.steps[2].step, 40.0, 1e-9);
  EXPECT_EQ(log.steps[2].cost_evaluations, 5);
}

TEST(Optimizer, MinimizesRosenbrock) {
  for (const OptimizerKind kind : kBoth) {
    FunctionOf rosenbrock(2, Rosenbrock);
    const OptimizerResult result = Minimize(kind, rosenbrock, At({-1.2, 1.0}), kTight);
    EXPECT_EQ(result.reason, StopReason::kConverged) << result.message;
    EXPECT_NEAR(result.initial_cost, 24.2, 1e-12);
    EXPECT_NEAR(result.best_theta[0], 1.0, 1e-6);
    EXPECT_NEAR(result.best_theta[1], 1.0, 1e-6);
    EXPECT_LT(result.best_cost, 1e-12);
    EXPECT_LT(result.iterations, 200);
  }
}

TEST(Optimizer, MinimizesAnIllConditionedQuadratic) {
  // J = 1 + sum_j c_j (theta_j - j)^2 / 2 with c from 1 to 1,000.
  constexpr int kSize = 30;
  const auto quadratic = [](const double* theta, double* gradient) {
    double cost = 1.0;
    for (int j = 0; j < kSize; ++j) {
      const double curvature = std::pow(1000.0, j / (kSize - 1.0));
      gradient[j] = curvature * (theta[j] - j);
      cost += 0.5 * gradient[j] * (theta[j] - j);
    }
    return cost;
  };
  for (const OptimizerKind kind : kBoth) {
    FunctionOf cost(kSize, quadratic);
    const OptimizerResult result = Minimize(kind, cost, Vector<double>::Zero(kSize),
                                            {.cost_tolerance = 0.0, .gradient_tolerance = 1e-6});
    EXPECT_EQ(result.reason, StopReason::kConverged) << result.message;
    EXPECT_NEAR(result.best_cost, 1.0, 1e-10);
    for (int j = 0; j < kSize; ++j) EXPECT_NEAR(result.best_theta[j], j, 1e-5);
  }
}

TEST(Optimizer, ReportsEveryAcceptedStepOnce) {
  for (const OptimizerKind kind : kBoth) {
    FunctionOf rosenbrock(2, Rosenbrock);
    StepLog log(2);
    const OptimizerResult result = Minimize(kind, rosenbrock, At({-1.2, 1.0}), kTight, &log);
    ASSERT_EQ(log.steps.size(), static_cast<size_t>(result.iterations) + 1);
    for (size_t i = 0; i < log.steps.size(); ++i) {
      EXPECT_EQ(log.steps[i].iteration, static_cast<int>(i));
      // Cost and gradient belong to the Theta that is shown.
      double gradient[2];
      EXPECT_EQ(log.steps[i].cost, Rosenbrock(log.thetas[i].data(), gradient));
      const double norm = std::hypot(gradient[0], gradient[1]);
      EXPECT_NEAR(log.steps[i].gradient_norm, norm, 1e-9 * norm + 1e-12);
      if (i > 0) {
        EXPECT_LT(log.steps[i].cost, log.steps[i - 1].cost);
        EXPECT_GT(log.steps[i].step, 0.0);
        EXPECT_GT(log.steps[i].cost_evaluations, log.steps[i - 1].cost_evaluations);
      }
    }
    EXPECT_EQ(log.steps.back().cost, result.best_cost);
    EXPECT_EQ(log.thetas.back(), result.best_theta);
    EXPECT_EQ(result.cost_evaluations, rosenbrock.evaluations);
  }
}

TEST(Optimizer, CountsOneEvaluationAStepWhereTheFirstTrialIsGood) {
  // From 3 - 20/19, where the gradient is -20/19, the step length tried is 19/20, which leaves 1/20
  // of the slope.
  FunctionOf parabola(1, Parabola);
  const OptimizerResult result = Minimize(OptimizerKind::kConjugateGradient, parabola,
                                          At({3.0 - 20.0 / 19.0}), {.max_iterations = 1});
  EXPECT_NEAR(result.best_theta[0], 3.0 - 1.0 / 19.0, 1e-14);
  EXPECT_EQ(result.cost_evaluations, 2);
  EXPECT_EQ(parabola.evaluations, 2);
}

TEST(Optimizer, IsDeterministic) {
  for (const OptimizerKind kind : kBoth) {
    FunctionOf first(2, Rosenbrock);
    FunctionOf second(2, Rosenbrock);
    EXPECT_EQ(Minimize(kind, first, At({-1.2, 1.0}), kTight).best_theta,
              Minimize(kind, second, At({-1.2, 1.0}), kTight).best_theta);
  }
}

TEST(Optimizer, RemembersAsManyStepsAsAskedFor) {
  // With a history of 1 the path differs from that with 20 once two pairs are known.
  std::vector<Vector<double>> ends;
  for (const int history : {1, 20}) {
    FunctionOf rosenbrock(2, Rosenbrock);
    ends.push_back(
        MakeOptimizer({.lbfgs_history = history}, Clock::System())
            ->Minimize(rosenbrock, {.theta = At({-1.2, 1.0})}, {.max_iterations = 8}, {}, nullptr)
            .best_theta);
  }
  EXPECT_NE(ends[0], ends[1]);
}

}  // namespace
}  // namespace mlp

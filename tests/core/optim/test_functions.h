// Functions to minimize, steps to look at and a clock to set, for the optimizers' tests.
#pragma once

#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/optim/optimizer.h"

namespace mlp {

// A CostFunction from a callable.
class FunctionOf final : public CostFunction {
 public:
  using Evaluation = std::function<double(const double* theta, double* gradient)>;

  FunctionOf(int64_t size, Evaluation evaluate) : size_(size), evaluate_(std::move(evaluate)) {}

  int64_t size() const override { return size_; }
  double Evaluate(const double* theta, double* gradient) override {
    ++evaluations;
    std::vector<double> ignored(static_cast<size_t>(size_));
    return evaluate_(theta, gradient == nullptr ? ignored.data() : gradient);
  }

  int64_t evaluations = 0;

 private:
  int64_t size_;
  Evaluation evaluate_;
};

// J = (theta - 3)^2 / 2.
inline double Parabola(const double* theta, double* gradient) {
  gradient[0] = theta[0] - 3.0;
  return 0.5 * gradient[0] * gradient[0];
}

// J = 100 (y - x^2)^2 + (1 - x)^2, least 0 at (1, 1) (Rosenbrock 1960).
inline double Rosenbrock(const double* theta, double* gradient) {
  const double x = theta[0];
  const double off = theta[1] - x * x;
  gradient[0] = -400.0 * x * off - 2.0 * (1.0 - x);
  gradient[1] = 200.0 * off;
  return 100.0 * off * off + (1.0 - x) * (1.0 - x);
}

// The steps, with copies of Theta.
class StepLog final : public StepObserver {
 public:
  explicit StepLog(int64_t size) : size_(size) {}

  std::optional<StopVerdict> OnStep(const OptimizerStep& step) override {
    steps.push_back(step);
    thetas.emplace_back(ConstVectorMap<double>(step.theta, size_));
    if (on_step) on_step(step);
    return verdict;
  }

  std::vector<OptimizerStep> steps;
  std::vector<Vector<double>> thetas;
  std::function<void(const OptimizerStep&)> on_step;
  std::optional<StopVerdict> verdict;  // what OnStep answers

 private:
  int64_t size_;
};

class SetClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::UnixEpoch() + elapsed; }
  absl::Duration Elapsed() const override { return elapsed; }

  absl::Duration elapsed = absl::Hours(5);
};

}  // namespace mlp

#include "core/train/start_check.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <absl/strings/str_cat.h>

#include "core/base/random.h"
#include "core/nn/gradient_check.h"
#include "core/train/objective.h"

namespace mlp {
namespace {

constexpr int64_t kEntries = 200;
constexpr double kLargestError = 1e-6;

// Keeps these draws apart from other uses of the same seed ("chec" in ASCII).
constexpr uint64_t kRandomStream = 0x63686563;

// Beside the start and not at it: biases start at 0, where relu units that see only zeros sit
// exactly on their corner, and there a difference quotient says nothing.
Vector<double> Beside(Vector<double> theta, int64_t seed) {
  Random random(seed, kRandomStream);
  for (double& parameter : theta) parameter += random.Uniform(-0.01, 0.01);
  return theta;
}

}  // namespace

absl::StatusOr<double> CheckGradientAtStart(const TrainingConfig& config,
                                            const Vector<double>& start, const Examples& examples,
                                            ThreadPool& pool, const std::stop_token& stop) {
  Objective<double> objective(config.topology, config.cost, config.lambda, examples, pool);
  const auto cost_and_gradient = [&](const Vector<double>& theta, Vector<double>* gradient) {
    if (stop.stop_requested()) return 0.0;
    return objective.Evaluate(theta.data(), gradient == nullptr ? nullptr : gradient->data());
  };

  // A relu unit that crosses its corner within the step, or a strongly curved J, spoils the numeric
  // side at a long step; a wrong gradient is wrong at every step.
  const Vector<double> theta = Beside(start, config.seed);
  double error = std::numeric_limits<double>::infinity();
  for (const double step : {1e-4, 1e-5, 1e-6, 1e-7}) {
    const double error_at_step = GradientCheck(
        cost_and_gradient, theta, {.samples = kEntries, .seed = config.seed, .step = step});
    if (stop.stop_requested()) return absl::CancelledError("check_gradient: cancelled");
    // Keeps infinity where the error is NaN.
    error = std::min(error, std::isnan(error_at_step) ? error : error_at_step);
    if (error < kLargestError) return error;
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "check_gradient: expected backpropagation and central differences to agree within a relative "
      "error of ",
      kLargestError, ", got ", error));
}

}  // namespace mlp

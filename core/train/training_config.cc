#include "core/train/training_config.h"

#include <cmath>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "core/nn/activation.h"

namespace mlp {
namespace {

constexpr int kMaxLbfgsHistory = 100;
constexpr int kMaxIterations = 1'000'000;

absl::Status CheckNumber(absl::string_view field, double value, bool ok,
                         absl::string_view expected) {
  if (std::isfinite(value) && ok) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": expected a finite number ", expected, ", got ", value));
}

absl::Status CheckCount(absl::string_view field, int value, int most) {
  if (value >= 1 && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(field, ": expected 1 to ", most, ", got ", value));
}

// Whether backpropagation can train this (valid) topology under this cost.
absl::Status CheckTrainable(const Topology& topology, CostKind cost) {
  for (size_t l = 0; l + 1 < topology.layers.size(); ++l) {
    const Activation activation = topology.layers[l].activation;
    if (HasDerivative(activation)) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        "network.activations: expected sigmoid, tanh, relu or identity in hidden layer ", l + 1,
        ", got ", ActivationName(activation),
        ": its derivative is 0 wherever it has one, so gradient descent cannot train it"));
  }
  const Activation output = topology.layers.back().activation;
  if (output != OutputActivation(cost)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "network.cost: expected ", ActivationName(OutputActivation(cost)),
        " units in the output layer, as this cost needs, got ", ActivationName(output)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateTrainingConfig(const TrainingConfig& config) {
  if (const absl::Status status = ValidateTopology(config.topology); !status.ok()) {
    return absl::Status(status.code(), absl::StrCat("network.", status.message()));
  }
  MLP_RETURN_IF_ERROR(CheckTrainable(config.topology, config.cost));
  const double epsilon = config.initialization.epsilon;
  MLP_RETURN_IF_ERROR(CheckNumber("network.initialization_epsilon", epsilon,
                                  epsilon > 0.0 && epsilon <= 100.0, "above 0, at most 100"));
  MLP_RETURN_IF_ERROR(CheckNumber("lambda", config.lambda, config.lambda >= 0.0, "of at least 0"));
  MLP_RETURN_IF_ERROR(ValidateSplitOptions(config.split));
  MLP_RETURN_IF_ERROR(
      CheckCount("optimizer.lbfgs_history", config.optimizer.lbfgs_history, kMaxLbfgsHistory));
  const StoppingOptions& stopping = config.stopping;
  MLP_RETURN_IF_ERROR(
      CheckCount("stopping.max_iterations", stopping.max_iterations, kMaxIterations));
  MLP_RETURN_IF_ERROR(CheckNumber("stopping.cost_tolerance", stopping.cost_tolerance,
                                  stopping.cost_tolerance >= 0.0 && stopping.cost_tolerance <= 1.0,
                                  "from 0 to 1"));
  MLP_RETURN_IF_ERROR(CheckNumber("stopping.gradient_tolerance", stopping.gradient_tolerance,
                                  stopping.gradient_tolerance >= 0.0, "of at least 0"));
  if (stopping.time_limit <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(
        absl::StrCat("stopping.time_limit: expected a time above 0, got ",
                     absl::FormatDuration(stopping.time_limit)));
  }
  return absl::OkStatus();
}

}  // namespace mlp

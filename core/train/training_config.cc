#include "core/train/training_config.h"

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "core/nn/activation.h"
#include "core/train/config_checks.h"

namespace mlp {
namespace {

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

absl::Status ValidateClassWeights(const ClassWeightOptions& options, int classes) {
  const std::vector<double>& weights = options.weights;
  if (weights.empty()) return absl::OkStatus();
  if (options.balanced) {
    return absl::InvalidArgumentError(
        "class_weights.weights: expected none together with class_weights.balanced");
  }
  if (weights.size() != static_cast<size_t>(classes)) {
    return absl::InvalidArgumentError(
        absl::StrCat("class_weights.weights: expected one for each of ", classes, " classes, got ",
                     weights.size()));
  }
  for (size_t k = 0; k < weights.size(); ++k) {
    MLP_RETURN_IF_ERROR(CheckNumber(absl::StrCat("class_weights.weights[", k, "]"), weights[k],
                                    weights[k] >= 1e-6 && weights[k] <= 1e6, "from 1e-6 to 1e6"));
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
  MLP_RETURN_IF_ERROR(CheckNotNegative("lambda", config.lambda));
  const OptimizerKind optimizer = config.optimizer.kind;
  MLP_RETURN_IF_ERROR(
      ValidateRegularization(config.regularization, optimizer, config.topology.layers.size() - 1));
  MLP_RETURN_IF_ERROR(CheckUnset(
      "augmentation", OnMiniBatches(optimizer) || !config.augmentation.enabled(), kFullBatch));
  MLP_RETURN_IF_ERROR(ValidateClassWeights(config.class_weights, config.topology.outputs()));
  MLP_RETURN_IF_ERROR(ValidateSplitOptions(config.split));
  MLP_RETURN_IF_ERROR(ValidateOptimizer(config.optimizer, config.stopping.max_iterations));
  return ValidateStopping(config.stopping, optimizer, config.split.validation > 0.0);
}

}  // namespace mlp

// Everything that decides a training run, next to the data.
#pragma once

#include <cstdint>
#include <vector>

#include <absl/status/status.h>

#include "core/data/augmentation.h"
#include "core/data/feature_scaler.h"
#include "core/data/split.h"
#include "core/nn/cost.h"
#include "core/nn/initialization.h"
#include "core/nn/topology.h"
#include "core/optim/optimizer.h"

namespace mlp {

// Mini-batch optimizers alone. Ranges and meanings as RegularizationConfig in training.proto.
struct RegularizationOptions {
  double l1 = 0.0;
  // Share of units left out of each hidden layer [hidden layers]; empty means none.
  std::vector<double> dropout = {};
  double input_dropout = 0.0;
  double max_norm = 0.0;  // 0: no limit

  bool operator==(const RegularizationOptions&) const = default;
};

struct ClassWeightOptions {
  std::vector<double> weights = {};  // [K]; empty means all alike
  bool balanced = false;
};

struct TrainingConfig {
  Topology topology;  // the output activation fits `cost`
  CostKind cost = CostKind::kSigmoidCrossEntropy;
  InitializationOptions initialization;
  double lambda = 0.0;
  RegularizationOptions regularization;
  ClassWeightOptions class_weights;
  AugmentationOptions augmentation;
  SplitOptions split;
  Scaling scaling = Scaling::kRange;
  OptimizerOptions optimizer;
  StoppingOptions stopping;
  int64_t seed = 1;
  bool check_gradient = false;
};

// INVALID_ARGUMENT naming the field for any value out of its range (see training.proto) or of no
// use to the optimizer, and for early stopping without a validation part; FAILED_PRECONDITION for a
// network that gradient descent cannot train (step units, an output activation that does not fit
// the cost); otherwise ValidateTopology's and ValidateSplitOptions' errors.
absl::Status ValidateTrainingConfig(const TrainingConfig& config);

}  // namespace mlp

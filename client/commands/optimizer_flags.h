// The flags of `mlpctl train` that say how the weights are moved: optimizer and learning rate.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <absl/status/status.h>

#include "mlp/v1/training.pb.h"

namespace CLI {
class App;
}

namespace mlp {

// Empty strings, zeros and what is not given leave the choice to the server.
struct OptimizerFlags {
  std::string optimizer;
  int32_t history = 0;
  int32_t batch_size = 0;
  double learning_rate = 0;
  std::optional<double> momentum;
  bool nesterov = false;
  std::optional<double> beta1;
  std::optional<double> beta2;
  double epsilon = 0;
  std::optional<double> weight_decay;
  double clip = 0;
  int32_t average_epochs = 0;
  std::string schedule;
  int32_t step_epochs = 0;
  double decay_factor = 0;
  double final_fraction = 0;
  double warm_up_epochs = 0;
};

void AddOptimizerFlags(CLI::App& app, OptimizerFlags& flags);

// Usage errors name the flag, expected against got.
absl::Status SetOptimizer(const OptimizerFlags& flags, v1::OptimizerConfig& optimizer);

}  // namespace mlp

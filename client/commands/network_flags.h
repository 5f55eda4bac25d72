// The flags of `mlpctl train` that say what network it is: layers, activations, cost, first
// weights.
#pragma once

#include <string>

#include <absl/status/status.h>

#include "mlp/v1/training.pb.h"

namespace CLI {
class App;
}

namespace mlp {

// Empty strings and zeros leave the choice to the server.
struct NetworkFlags {
  std::string layers;
  std::string activation;
  std::string cost;
  std::string init;
  double init_epsilon = 0;
  std::string from;  // a model reference
};

void AddNetworkFlags(CLI::App& app, NetworkFlags& flags);

// Sets network and initial_model. Usage errors name the flag, expected against got.
absl::Status SetNetwork(const NetworkFlags& flags, v1::TrainingConfig& config);

}  // namespace mlp

// The flags of `mlpctl train` that say when it ends.
#pragma once

#include <cstdint>
#include <string>

#include <absl/status/status.h>

#include "mlp/v1/training.pb.h"

namespace CLI {
class App;
}

namespace mlp {

// Empty strings and zeros leave the choice to the server.
struct StoppingFlags {
  int32_t max_iterations = 0;
  int32_t epochs = 0;
  double cost_tolerance = 0;
  int32_t cost_window = 0;
  double gradient_tolerance = 0;
  int32_t patience = 0;
  double min_improvement = 0;
  std::string time_limit;
};

void AddStoppingFlags(CLI::App& app, StoppingFlags& flags);

// Usage errors name the flag, expected against got.
absl::Status SetStopping(const StoppingFlags& flags, v1::StoppingConfig& stopping);

}  // namespace mlp

// The flags of `mlpctl train` against overfitting.
#pragma once

#include <string>

#include <absl/status/status.h>

#include "mlp/v1/training.pb.h"

namespace CLI {
class App;
}

namespace mlp {

// Empty strings and zeros mean none.
struct RegularizationFlags {
  double lambda = 1;
  double l1 = 0;
  std::string dropout;
  double input_dropout = 0;
  double max_norm = 0;
};

void AddRegularizationFlags(CLI::App& app, RegularizationFlags& flags);

// Sets lambda and regularization. Usage errors name the flag, expected against got.
absl::Status SetRegularization(const RegularizationFlags& flags, v1::TrainingConfig& config);

}  // namespace mlp

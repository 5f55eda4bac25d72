// The flags of `mlpctl train` that say what is done with the dataset: split, scaling, class
// weights, distorted images.
#pragma once

#include <cstdint>
#include <string>

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include "mlp/v1/training.pb.h"

namespace CLI {
class App;
}

namespace mlp {

// Empty strings and zeros leave the choice to the server.
struct DataFlags {
  std::string split = "70/0/30";
  bool plain = false;
  std::string scaling;
  int64_t seed = 1;
  std::string class_weights;
  std::string elastic;
  double rotate = 0;
  double scale = 0;
  double shear = 0;
  double translate = 0;
};

// In two groups: the data, and its augmentation.
void AddDataFlags(CLI::App& app, DataFlags& flags);

// Sets split, scaling, seed, class_weights and augmentation. Usage errors name the flag, expected
// against got.
absl::Status SetData(const DataFlags& flags, v1::TrainingConfig& config);

// Three numbers that sum to 1 (fractions) or to 100 (percent).
absl::StatusOr<v1::SplitConfig> ParseSplit(absl::string_view text);

}  // namespace mlp

// The flags of `mlpctl train`, apart from the command-line parser, and the request they make.
#pragma once

#include <cstdint>
#include <string>

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include "mlp/v1/training.pb.h"

namespace mlp {

// Empty strings and zeros leave the choice to the server.
struct TrainingFlags {
  std::string model;
  std::string dataset;
  std::string layers;
  std::string activation;
  std::string cost;
  double lambda = 1;
  std::string init;
  double init_epsilon = 0;
  std::string scaling;
  std::string optimizer;
  int32_t history = 0;
  std::string split = "70/0/30";
  bool plain = false;
  int64_t seed = 1;
  int32_t max_iterations = 0;
  double cost_tolerance = 0;
  double gradient_tolerance = 0;
  std::string time_limit;
  bool check_gradient = false;
  std::string request_id;
};

// Usage errors name the flag, expected against got. Ranges and what only the server knows are left
// to the server.
absl::StatusOr<v1::CreateTrainingJobRequest> MakeTrainingRequest(const TrainingFlags& flags);

// Three numbers that sum to 1 (fractions) or to 100 (percent).
absl::StatusOr<v1::SplitConfig> ParseSplit(absl::string_view text);

// train (or training), validation, test or all.
absl::StatusOr<v1::DatasetPart> ParsePart(absl::string_view text);

// QUEUED, RUNNING and so on, in any case.
absl::StatusOr<v1::JobState> ParseJobState(absl::string_view text);

}  // namespace mlp

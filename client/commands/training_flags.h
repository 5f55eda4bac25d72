// The flags of `mlpctl train` and the request they make. The flags of each part of a configuration
// have files of their own beside this one.
#pragma once

#include <string>

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include "client/commands/data_flags.h"
#include "client/commands/network_flags.h"
#include "client/commands/optimizer_flags.h"
#include "client/commands/publish_flags.h"
#include "client/commands/regularization_flags.h"
#include "client/commands/stopping_flags.h"
#include "client/commands/study_flags.h"
#include "mlp/v1/training.pb.h"

namespace mlp {

struct TrainingFlags {
  std::string model;
  std::string dataset;
  NetworkFlags network;
  DataFlags data;
  RegularizationFlags regularization;
  OptimizerFlags optimizer;
  StoppingFlags stopping;
  StudyFlags study;
  PublishFlags publish;
  bool check_gradient = false;
  std::string request_id;
};

void AddTrainingFlags(CLI::App& app, TrainingFlags& flags);

// Usage errors name the flag, expected against got. Ranges and what only the server knows are left
// to the server: see NameTheFlag.
absl::StatusOr<v1::CreateTrainingJobRequest> MakeTrainingRequest(const TrainingFlags& flags);

// train (or training), validation, test or all.
absl::StatusOr<v1::DatasetPart> ParsePart(absl::string_view text);

// QUEUED, RUNNING and so on, in any case.
absl::StatusOr<v1::JobState> ParseJobState(absl::string_view text);

}  // namespace mlp

// What the API says about a training <-> core's TrainingConfig. Ranges are checked by core. The
// parts of a configuration have files of their own beside this one.
#pragma once

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include "core/train/training_config.h"
#include "mlp/v1/dataset.pb.h"
#include "mlp/v1/training.pb.h"

namespace mlp {

// `config` with every default filled in, as training.proto states them; what the scaling defaults
// to depends on `feature_type`. INVALID_ARGUMENT naming the field, as in `network.layers: ...`: an
// unknown enum value, fewer than two layers, entries that do not match the hidden layers, a
// duration that is none, a field that the optimizer or initial_model leaves no use for. Everything
// else is ValidateTrainingConfig's to check. `initial_model` itself is the caller's to look up.
absl::StatusOr<TrainingConfig> TrainingConfigFromApi(const v1::TrainingConfig& config,
                                                     v1::FeatureType feature_type);

// With every field set that has a use. TrainingConfigFromApi gives `config` back.
v1::TrainingConfig TrainingConfigToApi(const TrainingConfig& config);

// Makes `config`, which TrainingConfigToApi filled, start from the model version `reference`.
void SetInitialModel(absl::string_view reference, v1::TrainingConfig& config);

}  // namespace mlp

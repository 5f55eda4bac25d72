// What the API says about a training <-> core's TrainingConfig. Ranges are checked by core.
#pragma once

#include <absl/status/statusor.h>

#include "core/train/training_config.h"
#include "mlp/v1/dataset.pb.h"
#include "mlp/v1/training.pb.h"

namespace mlp {

// `config` with every default filled in, as training.proto states them; what the scaling defaults
// to depends on `feature_type`. INVALID_ARGUMENT naming the field, as in `network.layers: ...`: an
// unknown enum value, fewer than two layers, activations that do not match the hidden layers, a
// duration that is none. Everything else is ValidateTrainingConfig's to check.
absl::StatusOr<TrainingConfig> TrainingConfigFromApi(const v1::TrainingConfig& config,
                                                     v1::FeatureType feature_type);

// With every field set. TrainingConfigFromApi gives `config` back.
v1::TrainingConfig TrainingConfigToApi(const TrainingConfig& config);

}  // namespace mlp

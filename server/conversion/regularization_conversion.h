// RegularizationConfig, ClassWeightsConfig and AugmentationConfig <-> core's options: what is done
// against overfitting and about classes that are rare.
#pragma once

#include <absl/status/statusor.h>

#include "core/train/training_config.h"
#include "mlp/v1/training.pb.h"

namespace mlp {

// Sets regularization, class_weights and augmentation of `config`, whose topology and optimizer are
// set. INVALID_ARGUMENT: dropout that does not match the hidden layers, or a field set that a
// full-batch optimizer has no use for.
absl::Status RegularizationFromApi(const v1::TrainingConfig& message, TrainingConfig& config);

// Sets the three messages where they ask for anything.
void RegularizationToApi(const TrainingConfig& config, v1::TrainingConfig& message);

}  // namespace mlp

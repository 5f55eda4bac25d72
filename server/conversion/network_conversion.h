// NetworkConfig <-> core's topology, cost and initialization.
#pragma once

#include <absl/status/status.h>

#include "core/train/training_config.h"
#include "mlp/v1/training.pb.h"

namespace mlp {

// Sets topology, cost and initialization of `config`. INVALID_ARGUMENT: fewer than two layers,
// activations that do not match the hidden layers, an unknown enum value.
absl::Status NetworkFromApi(const v1::NetworkConfig& network, TrainingConfig& config);

void NetworkToApi(const TrainingConfig& config, v1::NetworkConfig& network);

}  // namespace mlp

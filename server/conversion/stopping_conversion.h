// StoppingConfig <-> core's StoppingOptions.
#pragma once

#include <absl/status/statusor.h>

#include "core/optim/optimizer.h"
#include "mlp/v1/training.pb.h"

namespace mlp {

// Every default filled in, as an optimizer of this kind has them. INVALID_ARGUMENT: a field set
// that it has no use for, or a duration that is none.
absl::StatusOr<StoppingOptions> StoppingFromApi(const v1::StoppingConfig& stopping,
                                                OptimizerKind kind);

// Sets the fields that an optimizer of this kind uses.
void StoppingToApi(const StoppingOptions& options, OptimizerKind kind,
                   v1::StoppingConfig& stopping);

}  // namespace mlp

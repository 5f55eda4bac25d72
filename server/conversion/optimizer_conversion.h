// OptimizerConfig <-> core's OptimizerOptions.
#pragma once

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include "core/optim/optimizer.h"
#include "mlp/v1/training.pb.h"

namespace mlp {

// Every default filled in. INVALID_ARGUMENT: an unknown enum value, or a field set that the
// optimizer or its schedule has no use for.
absl::StatusOr<OptimizerOptions> OptimizerFromApi(const v1::OptimizerConfig& optimizer);

// Sets the fields that this optimizer uses.
void OptimizerToApi(const OptimizerOptions& options, v1::OptimizerConfig& optimizer);

// "LBFGS", "SGD": for messages.
absl::string_view OptimizerName(OptimizerKind kind);

}  // namespace mlp

// The settings of a training that a search may try, by the names that the API has for them.
#pragma once

#include <absl/status/status.h>
#include <absl/strings/string_view.h>

#include "core/train/training_config.h"

namespace mlp {

// Whether the values of this parameter are whole numbers: units and batch sizes.
bool IsWholeNumberParameter(absl::string_view name);

// INVALID_ARGUMENT for a name that there is not (the message has all that there are), or one that
// `config` has no use for, such as the momentum of Adam.
absl::Status CheckParameter(absl::string_view name, const TrainingConfig& config);

// Sets it in `config`. Requires CheckParameter. INVALID_ARGUMENT for a value that is no whole
// number where one is expected; whether it is in range is ValidateTrainingConfig's to say.
absl::Status SetParameter(absl::string_view name, double value, TrainingConfig& config);

}  // namespace mlp

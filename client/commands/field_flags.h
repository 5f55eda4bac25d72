// Which flag of `mlpctl train` sets which field: the server names fields, users know flags.
#pragma once

#include <absl/status/status.h>

namespace mlp {

// An error of CreateTrainingJob about a field, such as `config.optimizer.batch_size: expected ...`,
// with the flag in the field's place: `--batch-size: expected ...`. Other errors as they are.
absl::Status NameTheFlag(const absl::Status& status);

}  // namespace mlp

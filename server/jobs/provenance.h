// Where a model came from, as the JSON object that its artifact carries.
#pragma once

#include <string>

#include <absl/status/statusor.h>

#include "core/train/trainer.h"
#include "mlp/v1/training.pb.h"

namespace mlp {

// Training configuration, dataset with its hash, sizes of the split's parts, seed, metrics of each
// part, build and CPU kernel. The same training gives the same text: no times, no job number.
absl::StatusOr<std::string> ProvenanceJson(const v1::TrainingJob& job,
                                           const TrainingOutcome& outcome);

}  // namespace mlp

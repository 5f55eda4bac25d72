// Watches a job to its end, for `train` and `jobs watch`.
#pragma once

#include <cstdint>

#include <absl/status/statusor.h>

#include "client/commands/command.h"

namespace mlp {

// Shows the job's progress from the given iteration on. kExitSuccess where it SUCCEEDED,
// kExitFailure where it FAILED or was CANCELLED; kExitInterrupted after Ctrl-C, which stops the
// watching alone and says how to go on.
absl::StatusOr<int> WatchJob(CommandContext& context, int64_t id, int32_t from_iteration);

}  // namespace mlp

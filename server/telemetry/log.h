// Lines for the operator, on stderr.
#pragma once

#include <absl/status/status.h>
#include <absl/strings/string_view.h>

namespace mlp {

// One line: time (UTC), "error", what was being done, and `status`, with control characters
// escaped. For what a caller is not told: an INTERNAL error is a bug. Thread-safe.
void LogError(absl::string_view doing, const absl::Status& status);

}  // namespace mlp

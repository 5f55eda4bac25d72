// What mlpctl says on stderr when something went wrong, and its exit status.
#pragma once

#include <string>

#include <absl/status/status.h>
#include <absl/strings/string_view.h>

namespace mlp {

enum ExitStatus : int {
  kExitSuccess = 0,
  // The server or a file refused, or the job did not succeed.
  kExitFailure = 1,
  // The command line itself is wrong.
  kExitUsage = 2,
  // Ctrl-C, as shells count it.
  kExitInterrupted = 130,
};

// INVALID_ARGUMENT that is the command line's fault: `flag: what`.
absl::Status UsageError(absl::string_view flag, absl::string_view what);
bool IsUsageError(const absl::Status& status);

// One line without its end, such as "mlpctl: dataset digits does not exist (NOT_FOUND)". Where
// `server` could not be reached it says how to start one.
std::string ErrorLine(const absl::Status& status, absl::string_view server);

}  // namespace mlp

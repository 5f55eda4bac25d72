#include "server/telemetry/log.h"

#include <string>

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <unistd.h>

namespace mlp {

void LogError(absl::string_view doing, const absl::Status& status) {
  const std::string line =
      absl::StrCat(absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone()),
                   " error ", doing, ": ", absl::Utf8SafeCEscape(status.ToString()), "\n");
  // One write, so that lines of several threads do not mix; there is nobody to tell where it fails.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace mlp

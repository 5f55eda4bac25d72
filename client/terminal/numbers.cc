#include "client/terminal/numbers.h"

#include <algorithm>
#include <cmath>

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

namespace mlp {

std::string FormatCount(int64_t count) {
  std::string digits = absl::StrCat(count);
  const int first = count < 0 ? 1 : 0;
  for (int i = static_cast<int>(digits.size()) - 3; i > first; i -= 3) {
    digits.insert(static_cast<size_t>(i), 1, ',');
  }
  return digits;
}

std::string FormatBytes(int64_t bytes) {
  if (bytes < 1024) return absl::StrCat(bytes, " B");
  double value = static_cast<double>(bytes);
  const char* unit = "";
  for (const char* next : {"KiB", "MiB", "GiB", "TiB"}) {
    if (value < 1024) break;
    value /= 1024;
    unit = next;
  }
  return absl::StrFormat("%.1f %s", value, unit);
}

std::string FormatValue(double value) { return absl::StrFormat("%.6g", value); }

std::string FormatPercent(double share) { return absl::StrFormat("%.2f %%", 100 * share); }

std::string FormatSeconds(double seconds) {
  if (!std::isfinite(seconds)) return "?";
  seconds = std::clamp(seconds, 0.0, 1e9);
  if (seconds < 10) return absl::StrFormat("%.2f s", seconds);
  if (seconds < 60) return absl::StrFormat("%.1f s", seconds);
  const auto whole = static_cast<int64_t>(seconds);
  if (whole < 3600) return absl::StrFormat("%d:%02d", whole / 60, whole % 60);
  return absl::StrFormat("%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string FormatNanoseconds(double ns) {
  // Below the unit's thousand as it is printed, so that 999.6 us is 1.00 ms.
  for (const char* unit : {"ns", "us", "ms", "s"}) {
    if (ns < 999.5 || unit[0] == 's') {
      const int decimals = unit[0] == 'n' || ns >= 99.95 ? 0 : ns >= 9.995 ? 1 : 2;
      return absl::StrFormat("%.*f %s", decimals, ns, unit);
    }
    ns /= 1000;
  }
  return "";
}

std::string FormatUtc(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", time, absl::UTCTimeZone());
}

}  // namespace mlp

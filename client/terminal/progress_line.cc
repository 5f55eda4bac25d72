#include "client/terminal/progress_line.h"

#include <algorithm>

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include "client/terminal/bar.h"
#include "client/terminal/numbers.h"
#include "client/terminal/table.h"

namespace mlp {
namespace {

constexpr int kMaxBar = 24;
constexpr int kMinBar = 6;

std::string Cut(const std::string& line, size_t width) {
  size_t columns = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    const bool starts = (static_cast<unsigned char>(line[i]) & 0xC0) != 0x80;
    if (starts && columns++ == width) return line.substr(0, i);
  }
  return line;
}

// Rows come by the thousand, iterations by the one.
std::string FormatRate(double rate) {
  return rate < 1000 ? absl::StrFormat("%.1f", rate)
                     : FormatCount(static_cast<int64_t>(std::min(rate, 1e18)));
}

std::string TimeNote(const Progress& progress) {
  if (progress.seconds_left) {
    return absl::StrCat("  ", FormatSeconds(*progress.seconds_left), " left");
  }
  if (progress.total > 0 && progress.rate > 0) {
    const auto left = static_cast<double>(std::max<int64_t>(0, progress.total - progress.done));
    return absl::StrCat("  ", FormatSeconds(left / progress.rate), " left");
  }
  return absl::StrCat("  ", FormatSeconds(progress.elapsed_seconds));
}

}  // namespace

std::string RenderProgress(const Progress& progress, const TerminalStyle& style) {
  std::string tail = absl::StrCat("  ", FormatCount(progress.done));
  if (progress.total > 0) absl::StrAppend(&tail, "/", FormatCount(progress.total));
  if (!progress.detail.empty()) absl::StrAppend(&tail, "  ", progress.detail);
  if (progress.rate > 0) {
    absl::StrAppend(&tail, "  ", FormatRate(progress.rate), " ", progress.rate_unit);
  }
  absl::StrAppend(&tail, TimeNote(progress));

  const int room = std::max(1, style.width - 1);
  const int used = static_cast<int>(DisplayWidth(progress.name) + DisplayWidth(tail));
  const int bar = std::min(kMaxBar, room - used - 4);  // two spaces and two brackets
  std::string line = progress.name;
  if (progress.total > 0 && bar >= kMinBar) {
    const double share = static_cast<double>(progress.done) / static_cast<double>(progress.total);
    absl::StrAppend(&line, "  [", PadRight(RenderBar(share, bar, style), static_cast<size_t>(bar)),
                    "]");
  }
  return Cut(absl::StrCat(line, tail), static_cast<size_t>(room));
}

}  // namespace mlp

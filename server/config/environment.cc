#include "server/config/environment.h"

#include <algorithm>
#include <utility>

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/str_replace.h>
#include <absl/strings/str_split.h>
#include <absl/strings/string_view.h>

namespace mlp {

std::vector<GivenValue> ReadEnvironment(const char* const* environment) {
  constexpr absl::string_view kPrefix = "MLPD_";
  std::vector<GivenValue> values;
  for (; *environment != nullptr; ++environment) {
    if (!absl::StartsWith(*environment, kPrefix)) continue;
    const std::pair<absl::string_view, absl::string_view> entry =
        absl::StrSplit(*environment, absl::MaxSplits('=', 1));
    if (entry.first == kConfigFileVariable) continue;
    const std::string name = absl::AsciiStrToLower(entry.first.substr(kPrefix.size()));
    values.push_back({.name = absl::StrReplaceAll(name, {{"_", "-"}}),
                      .text = std::string(entry.second),
                      .origin = std::string(entry.first)});
  }
  // Which of two wrong ones is told of must not depend on the shell.
  std::sort(values.begin(), values.end(),
            [](const GivenValue& a, const GivenValue& b) { return a.origin < b.origin; });
  return values;
}

}  // namespace mlp

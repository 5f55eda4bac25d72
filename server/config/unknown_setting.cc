#include "server/config/unknown_setting.h"

#include <algorithm>
#include <cstddef>

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>

#include "server/config/setting_table.h"

namespace mlp {
namespace {

// Longer ones are no typing mistakes.
constexpr size_t kLongestName = 64;

// Levenshtein's distance: how many insertions, deletions and replacements make `b` of `a`. Row i of
// the table holds the distances of a's first i letters to all beginnings of b; one row is kept.
size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

// Empty where none is near enough to be meant: a third of its letters may be wrong.
absl::string_view NearestName(absl::string_view name,
                              const std::vector<absl::string_view>& candidates) {
  if (name.size() > kLongestName) return {};
  absl::string_view nearest;
  size_t least = std::max<size_t>(2, name.size() / 3) + 1;
  for (const absl::string_view candidate : candidates) {
    const size_t distance = EditDistance(name, candidate);
    if (distance >= least) continue;
    least = distance;
    nearest = candidate;
  }
  return nearest;
}

}  // namespace

absl::Status UnknownSetting(absl::string_view name, absl::string_view origin,
                            const std::vector<absl::string_view>& others) {
  std::vector<absl::string_view> candidates = others;
  for (const Setting& setting : AllSettings()) candidates.push_back(setting.name);
  const absl::string_view nearest = NearestName(name, candidates);
  return absl::InvalidArgumentError(
      absl::StrCat(absl::Utf8SafeCEscape(name), ": there is no such setting (from ", origin, ")",
                   nearest.empty() ? "" : absl::StrCat("; did you mean ", nearest, "?")));
}

}  // namespace mlp

// Rows by their class, for what deals rows out class by class.
#pragma once

#include <cstdint>
#include <vector>

#include <absl/types/span.h>

namespace mlp {

// [classes]: those of `rows` whose label is k, in the order in which they are given. labels[row] is
// in [0, classes).
inline std::vector<std::vector<int64_t>> RowsByClass(absl::Span<const int64_t> rows,
                                                     absl::Span<const int32_t> labels,
                                                     int classes) {
  std::vector<std::vector<int64_t>> members(static_cast<size_t>(classes));
  for (const int64_t row : rows) {
    members[static_cast<size_t>(labels[static_cast<size_t>(row)])].push_back(row);
  }
  return members;
}

}  // namespace mlp

#include "core/data/folds.h"

#include <algorithm>
#include <cassert>

#include "core/base/random.h"
#include "core/data/class_rows.h"

namespace mlp {
namespace {

// What separates the folds' random numbers from other uses of the same seed: "folds" in ASCII.
constexpr uint64_t kFoldsStream = 0x666F6C6473;

}  // namespace

std::vector<std::vector<int64_t>> CutIntoFolds(absl::Span<const int64_t> rows,
                                               absl::Span<const int32_t> labels, int classes,
                                               const FoldOptions& options) {
  assert(options.folds >= 1 && static_cast<size_t>(options.folds) <= rows.size());
  Random random(options.seed, kFoldsStream);
  std::vector<std::vector<int64_t>> groups;
  if (options.stratified) {
    groups = RowsByClass(rows, labels, classes);
    // In random order, lest the odd rows of low classes always went to the first folds.
    random.Shuffle(groups);
  } else {
    groups.emplace_back(rows.begin(), rows.end());
  }

  // Dealt like cards, one class after the other without starting anew.
  std::vector<std::vector<int64_t>> folds(static_cast<size_t>(options.folds));
  size_t next = 0;
  for (std::vector<int64_t>& group : groups) {
    random.Shuffle(group);
    for (const int64_t row : group) folds[next++ % folds.size()].push_back(row);
  }
  for (std::vector<int64_t>& fold : folds) std::sort(fold.begin(), fold.end());
  return folds;
}

}  // namespace mlp

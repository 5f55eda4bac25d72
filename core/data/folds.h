// Cuts rows into folds, for k-fold cross-validation of the training part that Split gave.
#pragma once

#include <cstdint>
#include <vector>

#include <absl/types/span.h>

namespace mlp {

struct FoldOptions {
  int folds = 5;  // from 1 to the number of rows
  // Keep the share of each class equal in all folds to within one example.
  bool stratified = true;
  int64_t seed = 1;
};

// `rows` divided at random: folds [options.folds], each in rising order, disjoint and together
// complete, their sizes equal to within one row. Stratified: so are each class's rows in them.
// labels[row] is the class of a row, in [0, classes). Same arguments: same folds.
std::vector<std::vector<int64_t>> CutIntoFolds(absl::Span<const int64_t> rows,
                                               absl::Span<const int32_t> labels, int classes,
                                               const FoldOptions& options);

}  // namespace mlp

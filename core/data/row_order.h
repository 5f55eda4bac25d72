// Rows in an order whose every beginning is a fair sample of them, for learning curves: the
// training sets of a curve are beginnings of one order, so that each contains the smaller ones.
#pragma once

#include <cstdint>
#include <vector>

#include <absl/types/span.h>

namespace mlp {

struct RowOrderOptions {
  // Of the first n rows each class has its share of all rows to within one example, for every n.
  bool stratified = true;
  int64_t seed = 1;
};

// `rows` in a random order. labels[row] is the class of a row, in [0, classes). Same arguments:
// same order.
std::vector<int64_t> OrderRows(absl::Span<const int64_t> rows, absl::Span<const int32_t> labels,
                               int classes, const RowOrderOptions& options);

}  // namespace mlp

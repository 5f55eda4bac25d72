// The operands of a matrix product whose matrices are parts of others.
#pragma once

#include <cstdint>

namespace mlp {

// c [m x n] and a [m x k] * b [k x n], with the lengths between their rows. Sizes are at least 1.
struct StridedProduct {
  int64_t m, n, k;
  // Entry (i, j) is a[i * a_row + j * a_column], of which one is 1.
  const float* a;
  int64_t a_row;
  int64_t a_column;
  const float* b;
  int64_t b_row;
  float* c;
  int64_t c_row;
};

}  // namespace mlp

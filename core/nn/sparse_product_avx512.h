// The product of training with many zeros in one operand, in AVX-512: only what is not 0 is
// multiplied. Used for the first layer, where inputs are mostly 0 (core/train/sparse_layer_step,
// core/train/sparse_inputs).
#pragma once

#include <cstdint>

#include "core/nn/sparse_rows.h"

namespace mlp {

// Columns that are computed at a time, at most: 4 vectors of sums take a load of the factor and 4
// of the matrix for 4 multiplications.
inline constexpr int64_t kSparsePanel = 64;

// c [rows x columns] = start + a [rows x depth] b [depth x columns]. Every entry of c is start, or
// 0, to which the products are added by fused multiply-add in the order of the depth: the bits of
// Avx512TileKernel, since a product with 0 that is added changes nothing (docs/numerics.md, 6).
struct SparseProduct {
  const SparseRow* a;  // [rows]
  int64_t rows;
  int64_t columns;  // 1 to kSparsePanel
  // Rows b_row apart, whole vectors of 16 and on a cache line; what is in them from `columns` on
  // does not matter.
  const float* b;
  int64_t b_row;
  const float* start;  // [columns] in whole vectors, on a cache line; null: 0
  float* c;            // rows c_row apart; nothing is written from `columns` on
  int64_t c_row;
};

// Only where HasAvx512().
void MultiplySparse(const SparseProduct& product);

}  // namespace mlp

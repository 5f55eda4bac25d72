// The product of training with many zeros in one operand, in AVX-512: only what is not 0 is
// multiplied. Used for the first layer, where inputs are mostly 0 (core/train/sparse_layer_step).
#pragma once

#include <cstdint>

#include "core/nn/sparse_rows.h"

namespace mlp {

// Columns that are computed at a time: 4 vectors of sums take a load of the factor and 4 of the
// matrix for 4 multiplications.
inline constexpr int64_t kSparsePanel = 64;

// c [rows x panel] = start + a [rows x depth] b [depth x panel]. Every entry of c is start, or 0,
// to which the products are added by fused multiply-add in the order of the depth: the bits of
// Avx512TileKernel, since a product with 0 that is added changes nothing (docs/numerics.md, 6).
struct SparseProduct {
  const SparseRows* a;
  int64_t first_row;
  int64_t rows;
  int64_t columns;     // that anybody wants: 1 to kSparsePanel
  const float* b;      // rows kSparsePanel apart, on a cache line
  const float* start;  // [kSparsePanel] on a cache line; null: 0
  float* c;            // rows kSparsePanel apart, on a cache line; undefined from `columns` on
};

// Only where HasAvx512().
void MultiplySparse(const SparseProduct& product);

}  // namespace mlp

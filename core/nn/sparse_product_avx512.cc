#include "core/nn/sparse_product_avx512.h"

#include <cassert>

#include "core/nn/avx512.h"

#if defined(MLP_HAS_AVX512)

namespace mlp {
namespace {

template <int kVectors>
MLP_AVX512 void Multiply(const SparseProduct& p) {
  for (int64_t i = 0; i < p.rows; ++i) {
    const SparseRow row = (*p.a)[p.first_row + i];
    __m512 sums[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      sums[v] = p.start == nullptr ? _mm512_setzero_ps() : _mm512_load_ps(p.start + v * kLanes);
    }
    for (int64_t k = 0; k < row.count; ++k) {
      const __m512 factor = _mm512_set1_ps(row.values[k]);
      const float* const b = p.b + int64_t{row.columns[k]} * kSparsePanel;
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        sums[v] = _mm512_fmadd_ps(factor, _mm512_load_ps(b + v * kLanes), sums[v]);
      }
    }
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      _mm512_store_ps(p.c + i * kSparsePanel + v * kLanes, sums[v]);
    }
  }
}

}  // namespace

void MultiplySparse(const SparseProduct& product) {
  switch ((product.columns + kLanes - 1) / kLanes) {
    case 1:
      return Multiply<1>(product);
    case 2:
      return Multiply<2>(product);
    case 3:
      return Multiply<3>(product);
    default:
      return Multiply<4>(product);
  }
}

}  // namespace mlp

#else

namespace mlp {

void MultiplySparse(const SparseProduct&) { assert(false); }

}  // namespace mlp

#endif

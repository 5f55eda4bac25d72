#include "core/nn/sparse_product_avx512.h"

#include <algorithm>
#include <cassert>

#include "core/nn/avx512.h"

#if defined(MLP_HAS_AVX512)

namespace mlp {
namespace {

// Rows go two at a time where one alone would leave the CPU waiting for its own sums: a
// multiplication takes four cycles.
template <int kVectors>
constexpr int kRowsAtOnce = kVectors <= 2 ? 2 : 1;

template <int kVectors>
struct Sums {
  __m512 of[kVectors];
};

template <int kVectors>
MLP_AVX512 inline __attribute__((always_inline)) void Add(const SparseProduct& p,
                                                          const SparseRow& row, int64_t k,
                                                          Sums<kVectors>& sums) {
  const __m512 factor = _mm512_set1_ps(row.values[k]);
  const float* const b = p.b + row.columns[k] * p.b_row;
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    sums.of[v] = _mm512_fmadd_ps(factor, _mm512_load_ps(b + v * kLanes), sums.of[v]);
  }
}

// kCount rows from `first` on.
template <int kVectors, int kCount>
MLP_AVX512 inline __attribute__((always_inline)) void MultiplyRows(const SparseProduct& p,
                                                                   int64_t first, __mmask16 last) {
  const SparseRow* const rows = p.a + first;
  Sums<kVectors> sums[kCount];
  int64_t common = rows[0].count;
#pragma GCC unroll 2
  for (int i = 0; i < kCount; ++i) {
    common = std::min(common, rows[i].count);
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      sums[i].of[v] =
          p.start == nullptr ? _mm512_setzero_ps() : _mm512_load_ps(p.start + v * kLanes);
    }
  }
  for (int64_t k = 0; k < common; ++k) {
#pragma GCC unroll 2
    for (int i = 0; i < kCount; ++i) Add(p, rows[i], k, sums[i]);
  }
#pragma GCC unroll 2
  for (int i = 0; i < kCount; ++i) {
    for (int64_t k = common; k < rows[i].count; ++k) Add(p, rows[i], k, sums[i]);
    float* const c = p.c + (first + i) * p.c_row;
#pragma GCC unroll 4
    for (int v = 0; v < kVectors - 1; ++v) _mm512_storeu_ps(c + v * kLanes, sums[i].of[v]);
    _mm512_mask_storeu_ps(c + (kVectors - 1) * kLanes, last, sums[i].of[kVectors - 1]);
  }
}

template <int kVectors>
MLP_AVX512 void Multiply(const SparseProduct& p) {
  constexpr int kCount = kRowsAtOnce<kVectors>;
  const auto last = static_cast<__mmask16>((1u << (p.columns - (kVectors - 1) * kLanes)) - 1u);
  int64_t i = 0;
  for (; i + kCount <= p.rows; i += kCount) MultiplyRows<kVectors, kCount>(p, i, last);
  for (; i < p.rows; ++i) MultiplyRows<kVectors, 1>(p, i, last);
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

#include "core/nn/tile_product_avx512.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "core/nn/avx512.h"

#if defined(MLP_HAS_AVX512)

namespace mlp {
namespace {

// 14 rows x 2 vectors are 28 registers of sums; the panel's 2 vectors take 2 more, and an entry of
// a, broadcast, 1. 16 loads feed 28 multiplications: within what the CPU can load meanwhile.
constexpr int kRows = 14;
constexpr int kVectors = 2;
constexpr int64_t kPanel = kVectors * kLanes;
// Rows of a that one pointer reaches: 0, 1, 2 and 3 times a_row further on.
constexpr int kRowsPerPointer = 4;

template <int kTileRows, int kTileVectors>
MLP_AVX512 void MultiplyTile(const TileProduct& t) {
  constexpr int kPointers = (kTileRows + kRowsPerPointer - 1) / kRowsPerPointer;
  __m512 sums[kTileRows][kTileVectors];
#pragma GCC unroll 16
  for (int i = 0; i < kTileRows; ++i) {
    const __m512 start = _mm512_set1_ps(t.start == nullptr ? 0.0f : t.start[i]);
#pragma GCC unroll 2
    for (int j = 0; j < kTileVectors; ++j) sums[i][j] = start;
  }
  const int64_t offsets[kRowsPerPointer] = {0, t.a_row, 2 * t.a_row, 3 * t.a_row};
  const int64_t a_depth = t.a_depth;
  const float* b = t.b;
  const float* a_segment = t.a;
  for (int64_t left = t.depth; left > 0; left -= t.segment, a_segment += t.a_segment) {
    const float* a[kPointers];
#pragma GCC unroll 4
    for (int p = 0; p < kPointers; ++p) a[p] = a_segment + p * kRowsPerPointer * t.a_row;
    for (int64_t k = std::min(left, t.segment); k > 0; --k, b += kPanel) {
      __m512 vectors[kTileVectors];
#pragma GCC unroll 2
      for (int j = 0; j < kTileVectors; ++j) vectors[j] = _mm512_load_ps(b + j * kLanes);
#pragma GCC unroll 16
      for (int i = 0; i < kTileRows; ++i) {
        const __m512 factor = _mm512_set1_ps(a[i / kRowsPerPointer][offsets[i % kRowsPerPointer]]);
#pragma GCC unroll 2
        for (int j = 0; j < kTileVectors; ++j) {
          sums[i][j] = _mm512_fmadd_ps(factor, vectors[j], sums[i][j]);
        }
      }
#pragma GCC unroll 4
      for (int p = 0; p < kPointers; ++p) a[p] += a_depth;
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kTileRows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < kTileVectors; ++j) {
      _mm512_storeu_ps(t.c + i * t.c_row + j * kLanes, sums[i][j]);
    }
  }
}

using TileFunction = void (*)(const TileProduct&);

template <int kTileVectors, size_t... kIndex>
constexpr std::array<TileFunction, kRows> Tiles(std::index_sequence<kIndex...>) {
  return {MultiplyTile<static_cast<int>(kIndex) + 1, kTileVectors>...};
}

// By rows - 1.
constexpr auto kHalfTiles = Tiles<1>(std::make_index_sequence<kRows>());
constexpr auto kTiles = Tiles<kVectors>(std::make_index_sequence<kRows>());

void Multiply(const TileProduct& product) {
  const auto index = static_cast<size_t>(product.rows - 1);
  (product.columns <= kLanes ? kHalfTiles : kTiles)[index](product);
}

}  // namespace

const TileKernel* Avx512TileKernel() {
  static constexpr TileKernel kernel = {.rows = kRows, .panel = kPanel, .multiply = Multiply};
  return HasAvx512() ? &kernel : nullptr;
}

}  // namespace mlp

#else

namespace mlp {

const TileKernel* Avx512TileKernel() { return nullptr; }

}  // namespace mlp

#endif

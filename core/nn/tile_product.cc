#include "core/nn/tile_product.h"

#include <algorithm>

#include "core/nn/gemm.h"
#include "core/nn/tile_product_avx512.h"

namespace mlp {
namespace {

// Wide enough for OpenBLAS, which copies its operands into panels of its own first.
constexpr int64_t kBlasRows = 64;
constexpr int64_t kBlasPanel = 128;

void MultiplyByBlas(const TileProduct& p) {
  for (int64_t i = 0; i < p.rows; ++i) {
    std::fill_n(p.c + i * p.c_row, p.columns, p.start == nullptr ? 0.0f : p.start[i]);
  }
  for (int64_t k = 0; k < p.depth; k += p.segment) {
    AddStridedProduct({.m = p.rows,
                       .n = p.columns,
                       .k = std::min(p.segment, p.depth - k),
                       .a = p.a + k / p.segment * p.a_segment,
                       .a_row = p.a_row,
                       .a_column = p.a_depth,
                       .b = p.b + k * kBlasPanel,
                       .b_row = kBlasPanel,
                       .c = p.c,
                       .c_row = p.c_row});
  }
}

}  // namespace

const TileKernel& BlasTileKernel() {
  static constexpr TileKernel kernel = {
      .rows = kBlasRows, .panel = kBlasPanel, .multiply = MultiplyByBlas};
  return kernel;
}

const TileKernel& BestTileKernel() {
  const TileKernel* own = Avx512TileKernel();
  return own == nullptr ? BlasTileKernel() : *own;
}

}  // namespace mlp

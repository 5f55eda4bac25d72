#include "core/nn/tiled_product.h"

#include <algorithm>

#include "core/nn/propagation_scratch.h"
#include "core/nn/tile_product.h"
#include "core/nn/tile_product_avx512.h"

namespace mlp {

bool HasTiledProduct() { return Avx512TileKernel() != nullptr; }

void TiledProduct(const StridedProduct& p) {
  const TileKernel& kernel = *Avx512TileKernel();
  const int64_t width = kernel.panel;
  thread_local PropagationScratch scratch;
  float* const panel = scratch.Take((p.k + kernel.rows) * width);
  float* const part_of_c = panel + p.k * width;
  for (int64_t column = 0; column < p.n; column += width) {
    const int64_t columns = std::min(width, p.n - column);
    for (int64_t k = 0; k < p.k; ++k) {
      // The kernel multiplies what is behind `columns` too, slowly if that were subnormal.
      std::fill(std::copy_n(p.b + k * p.b_row + column, columns, panel + k * width),
                panel + (k + 1) * width, 0.0f);
    }
    for (int64_t row = 0; row < p.m; row += kernel.rows) {
      const int64_t rows = std::min(kernel.rows, p.m - row);
      float* const c = p.c + row * p.c_row + column;
      const bool is_whole = columns == width;
      kernel.multiply({.rows = rows,
                       .columns = columns,
                       .depth = p.k,
                       .a = p.a + row * p.a_row,
                       .a_row = p.a_row,
                       .a_depth = p.a_column,
                       .segment = p.k,
                       .a_segment = 0,
                       .b = panel,
                       .start = nullptr,
                       .c = is_whole ? c : part_of_c,
                       .c_row = is_whole ? p.c_row : width});
      if (is_whole) continue;
      for (int64_t i = 0; i < rows; ++i) {
        std::copy_n(part_of_c + i * width, columns, c + i * p.c_row);
      }
    }
  }
}

}  // namespace mlp

#include "core/nn/tile_product.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "core/nn/panels.h"
#include "core/nn/tile_product_avx512.h"

namespace mlp {
namespace {

// Both ways to compute a tile, where the CPU has both.
std::vector<const TileKernel*> Kernels() {
  std::vector<const TileKernel*> kernels = {&BlasTileKernel()};
  if (Avx512TileKernel() != nullptr) kernels.push_back(Avx512TileKernel());
  return kernels;
}

// How the entries of a lie: the three products of a layer.
enum class Layout { kForward, kBackward, kGradient };

struct Case {
  Case(const TileKernel& tested, Layout a_layout, int64_t tile_rows, int64_t tile_columns,
       int64_t tile_depth)
      : kernel(tested),
        rows(tile_rows),
        columns(tile_columns),
        depth(tile_depth),
        b(tile_depth, tested.panel, tested.panel) {
    const int64_t segments = (depth + kernel.panel - 1) / kernel.panel;
    const int64_t padding = 5;  // between rows, or columns, of a
    product.segment = depth;
    product.a_segment = 0;
    product.a_depth = 1;
    switch (a_layout) {
      case Layout::kForward:
        product.a_row = depth + padding;
        break;
      case Layout::kBackward:
        product.a_row = 1;
        product.a_depth = rows + padding;
        break;
      case Layout::kGradient:
        product.a_row = kernel.panel;
        product.segment = kernel.panel;
        product.a_segment = (rows + padding) * kernel.panel;
        break;
    }
    a.resize(static_cast<size_t>((rows + padding) * (depth + padding + segments * kernel.panel)));
    float seed = 0.1f;
    for (float& value : a) value = std::sin(seed += 0.7f);
    for (int64_t k = 0; k < depth; ++k) {
      for (int64_t j = 0; j < kernel.panel; ++j) b.row(0, k)[j] = std::sin(seed += 0.7f);
    }
    start.resize(static_cast<size_t>(rows));
    for (float& value : start) value = std::sin(seed += 0.7f);
  }

  std::vector<float> Multiply(int64_t first_row, int64_t count, bool with_start) {
    const int64_t stride = kernel.panel + 16;
    std::vector<float> c(static_cast<size_t>(count * stride), -99.0f);
    product.rows = count;
    product.columns = columns;
    product.depth = depth;
    product.a = a.data() + first_row * product.a_row;
    product.b = b.row(0, 0);
    product.start = with_start ? start.data() + first_row : nullptr;
    product.c = c.data();
    product.c_row = stride;
    kernel.multiply(product);
    return c;
  }

  double Naive(int64_t i, int64_t j, bool with_start) const {
    double sum = with_start ? start[static_cast<size_t>(i)] : 0.0;
    for (int64_t k = 0; k < depth; ++k) {
      const int64_t at = i * product.a_row + k / product.segment * product.a_segment +
                         k % product.segment * product.a_depth;
      sum += static_cast<double>(a[static_cast<size_t>(at)]) * static_cast<double>(b.row(0, k)[j]);
    }
    return sum;
  }

  const TileKernel& kernel;
  const int64_t rows, columns, depth;
  TileProduct product = {};
  std::vector<float> a;
  Panels b;
  std::vector<float> start;
};

void ExpectAgreesWithNaive(const TileKernel& kernel, Layout layout, int64_t rows, int64_t columns,
                           int64_t depth) {
  SCOPED_TRACE(testing::Message() << rows << " rows, " << columns << " columns, depth " << depth
                                  << ", layout " << static_cast<int>(layout));
  Case tested(kernel, layout, rows, columns, depth);
  const double tolerance =
      4.0 * std::numeric_limits<float>::epsilon() * static_cast<double>(depth + 1);
  for (const bool with_start : {true, false}) {
    const std::vector<float> c = tested.Multiply(0, rows, with_start);
    const int64_t stride = tested.product.c_row;
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < columns; ++j) {
        ASSERT_NEAR(c[static_cast<size_t>(i * stride + j)], tested.Naive(i, j, with_start),
                    tolerance)
            << "row " << i << ", column " << j;
      }
      for (int64_t j = kernel.panel; j < stride; ++j) {
        ASSERT_EQ(c[static_cast<size_t>(i * stride + j)], -99.0f) << "behind row " << i;
      }
    }
  }
}

constexpr Layout kLayouts[] = {Layout::kForward, Layout::kBackward, Layout::kGradient};

TEST(TileProduct, AgreesWithNaiveLoopsForEveryTile) {
  for (const TileKernel* kernel : Kernels()) {
    for (const Layout layout : kLayouts) {
      for (int64_t rows = 1; rows <= kernel->rows; rows += rows < 16 ? 1 : 13) {
        for (const int64_t columns : {int64_t{1}, int64_t{16}, int64_t{17}, kernel->panel}) {
          for (const int64_t depth : {1, 2, 37}) {
            ExpectAgreesWithNaive(*kernel, layout, rows, columns, depth);
          }
        }
      }
    }
  }
}

TEST(TileProduct, AgreesWithNaiveLoopsForDeepTiles) {
  for (const TileKernel* kernel : Kernels()) {
    for (const Layout layout : kLayouts) {
      for (const int64_t depth : {kernel->panel - 1, kernel->panel, 3 * kernel->panel + 1}) {
        ExpectAgreesWithNaive(*kernel, layout, kernel->rows, kernel->panel, depth);
      }
    }
  }
}

TEST(TileProduct, AddsInTheOrderOfTheDepthWhateverTheTile) {
  const TileKernel* kernel = Avx512TileKernel();
  if (kernel == nullptr) GTEST_SKIP() << "no AVX-512";
  for (const Layout layout : kLayouts) {
    Case tested(*kernel, layout, kernel->rows, kernel->panel, 100);
    const std::vector<float> whole = tested.Multiply(0, kernel->rows, true);
    for (int64_t i = 0; i < kernel->rows; ++i) {
      const std::vector<float> alone = tested.Multiply(i, 1, true);
      for (int64_t j = 0; j < kernel->panel; ++j) {
        float sum = tested.start[static_cast<size_t>(i)];
        for (int64_t k = 0; k < 100; ++k) {
          const int64_t at = i * tested.product.a_row +
                             k / tested.product.segment * tested.product.a_segment +
                             k % tested.product.segment * tested.product.a_depth;
          sum = std::fma(tested.a[static_cast<size_t>(at)], tested.b.row(0, k)[j], sum);
        }
        ASSERT_EQ(whole[static_cast<size_t>(i * tested.product.c_row + j)], sum);
        ASSERT_EQ(alone[static_cast<size_t>(j)], sum);
      }
    }
  }
}

TEST(TileProduct, OfAColumnIsTouchedByNoOtherColumn) {
  for (const TileKernel* kernel : Kernels()) {
    Case tested(*kernel, Layout::kForward, kernel->rows, 5, 20);
    const std::vector<float> clean = tested.Multiply(0, kernel->rows, true);
    for (int64_t k = 0; k < 20; ++k) {
      for (int64_t j = 5; j < kernel->panel; ++j) {
        tested.b.row(0, k)[j] = std::numeric_limits<float>::quiet_NaN();
      }
    }
    const std::vector<float> dirty = tested.Multiply(0, kernel->rows, true);
    for (int64_t i = 0; i < kernel->rows; ++i) {
      for (int64_t j = 0; j < 5; ++j) {
        const auto at = static_cast<size_t>(i * tested.product.c_row + j);
        ASSERT_EQ(dirty[at], clean[at]);
      }
    }
  }
}

}  // namespace
}  // namespace mlp

#include "core/nn/tiled_product.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/random.h"

namespace mlp {
namespace {

std::vector<float> RandomValues(int64_t count, int64_t seed) {
  Random random(seed, 0);
  std::vector<float> values;
  for (int64_t i = 0; i < count; ++i)
    values.push_back(static_cast<float>(random.Uniform(-1.0, 1.0)));
  return values;
}

// Against a plain loop in the order that is promised; around c nothing is touched.
TEST(TiledProduct, IsTheProductForAnyShape) {
  if (!HasTiledProduct()) GTEST_SKIP() << "no AVX-512 here";
  constexpr float kUntouched = 77.0f;
  for (const int64_t m : {1, 10, 14, 15, 40}) {
    for (const int64_t n : {1, 16, 25, 32, 33, 70}) {
      for (const int64_t k : {1, 10, 67}) {
        for (const bool transposed : {false, true}) {
          const std::vector<float> a = RandomValues(m * k, 1);
          const std::vector<float> b = RandomValues(k * n, 2);
          const int64_t c_row = n + 3;
          std::vector<float> c(static_cast<size_t>(m * c_row), kUntouched);
          const int64_t a_row = transposed ? 1 : k;
          const int64_t a_column = transposed ? m : 1;
          TiledProduct({.m = m,
                        .n = n,
                        .k = k,
                        .a = a.data(),
                        .a_row = a_row,
                        .a_column = a_column,
                        .b = b.data(),
                        .b_row = n,
                        .c = c.data(),
                        .c_row = c_row});
          for (int64_t i = 0; i < m; ++i) {
            for (int64_t j = 0; j < c_row; ++j) {
              float sum = j < n ? 0.0f : kUntouched;
              for (int64_t l = 0; j < n && l < k; ++l) {
                sum = std::fma(a[static_cast<size_t>(i * a_row + l * a_column)],
                               b[static_cast<size_t>(l * n + j)], sum);
              }
              ASSERT_EQ(c[static_cast<size_t>(i * c_row + j)], sum)
                  << m << " x " << n << " x " << k << ", entry " << i << ", " << j;
            }
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace mlp

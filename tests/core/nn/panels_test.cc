#include "core/nn/panels.h"

#include <vector>

#include <gtest/gtest.h>

namespace mlp {
namespace {

TEST(Panels, LieOneBehindTheOtherWithTheirRowsWhole) {
  Panels panels(5, 70, 32);
  EXPECT_EQ(panels.count(), 3);
  EXPECT_EQ(panels.stride(), 5 * 32);
  EXPECT_EQ(panels.row(2, 4) - panels.row(0, 0), 2 * 5 * 32 + 4 * 32);
  EXPECT_EQ(panels.columns_of(0), 32);
  EXPECT_EQ(panels.columns_of(2), 6);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(panels.row(0, 0)) % 64, 0u);
  EXPECT_EQ(Panels::Bytes(5, 70, 32), 5 * 96 * 4);
}

TEST(Panels, StartAsZerosUpToTheLastColumnOfTheLastPanel) {
  const Panels panels(3, 33, 32);
  for (int64_t i = 0; i < 2 * panels.stride(); ++i) ASSERT_EQ(panels.row(0, 0)[i], 0.0f);
}

TEST(Panels, ResizeKeepsTheMemory) {
  Panels panels(8, 64, 32);
  const float* before = panels.row(0, 0);
  panels.Resize(3, 33);
  EXPECT_EQ(panels.row(0, 0), before);
  EXPECT_EQ(panels.row(1, 0) - panels.row(0, 0), 3 * 32);
  EXPECT_EQ(panels.columns_of(1), 1);
}

// Whole blocks of 16 have a way of their own.
TEST(Transpose, MovesEveryEntryAndNothingElse) {
  for (const int64_t rows : {1, 5, 16, 32, 33, 48}) {
    for (const int64_t columns : {1, 7, 16, 32, 40, 64}) {
      const int64_t from_row = columns + 3;
      const int64_t to_row = rows + 2;
      std::vector<float> from, to(static_cast<size_t>(columns * to_row), -1.0f);
      for (int64_t i = 0; i < rows * from_row; ++i) from.push_back(static_cast<float>(i));
      Transpose({.from = from.data(),
                 .from_row = from_row,
                 .rows = rows,
                 .columns = columns,
                 .to = to.data(),
                 .to_row = to_row});
      for (int64_t j = 0; j < columns; ++j) {
        for (int64_t i = 0; i < to_row; ++i) {
          const float expected = i < rows ? static_cast<float>(i * from_row + j) : -1.0f;
          ASSERT_EQ(to[static_cast<size_t>(j * to_row + i)], expected)
              << rows << " x " << columns << ", entry " << i << ", " << j;
        }
      }
    }
  }
}

}  // namespace
}  // namespace mlp

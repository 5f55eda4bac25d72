#include "core/train/row_blocks.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace mlp {
namespace {

const Topology kDigits = {.inputs = 400, .layers = {{.units = 25}, {.units = 10}}};

TEST(RowBlocks, CoverAllRowsInEqualBlocks) {
  for (const int64_t rows : {1, 2, 255, 256, 257, 3500, 60000}) {
    const RowBlocks blocks(kDigits, rows);
    int64_t next = 0;
    int least = blocks.max_rows();
    for (int block = 0; block < blocks.count(); ++block) {
      EXPECT_EQ(blocks.begin(block), next);
      EXPECT_LE(blocks.rows(block), blocks.max_rows());
      least = std::min(least, blocks.rows(block));
      next += blocks.rows(block);
    }
    EXPECT_EQ(next, rows);
    EXPECT_GE(least, blocks.max_rows() - 1);
    EXPECT_LE(blocks.max_rows(), 256);
  }
  EXPECT_EQ(RowBlocks(kDigits, 3500).count(), 14);
}

TEST(RowBlocks, AreSmallerForVeryWideNetworks) {
  const Topology wide = {.inputs = 4, .layers = {{.units = 1 << 18}, {.units = 2}}};
  EXPECT_EQ(RowBlocks(wide, 1000).max_rows(), 15);
  const Topology widest = {.inputs = 1, .layers = std::vector<LayerSpec>(8, {.units = 1 << 20})};
  EXPECT_EQ(RowBlocks(widest, 1000).max_rows(), 1);
  const Topology of_many_inputs = {.inputs = 1 << 18, .layers = {{.units = 2}}};
  EXPECT_EQ(RowBlocks(of_many_inputs, 1000).max_rows(), 15);
}

}  // namespace
}  // namespace mlp

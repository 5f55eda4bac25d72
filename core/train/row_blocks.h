// How rows are cut into the blocks that threads work on. The cut depends on the network and the
// number of rows alone, never on the threads, so that sums over blocks have the same bits with any
// number of them.
#pragma once

#include <cstdint>

#include "core/nn/topology.h"

namespace mlp {

// `rows` >= 1 rows in as few blocks as the network's block size allows, equal to within one row.
class RowBlocks {
 public:
  RowBlocks(const Topology& topology, int64_t rows);

  int count() const { return count_; }
  int64_t begin(int block) const { return rows_ * block / count_; }
  int rows(int block) const { return static_cast<int>(begin(block + 1) - begin(block)); }
  // Rows of the largest block.
  int max_rows() const { return static_cast<int>((rows_ + count_ - 1) / count_); }

 private:
  int64_t rows_;
  int count_;
};

}  // namespace mlp

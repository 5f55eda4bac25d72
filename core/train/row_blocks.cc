#include "core/train/row_blocks.h"

#include <algorithm>

namespace mlp {
namespace {

// Enough rows for the matrix products to run at full speed, few enough that a block's activations
// stay near the core and that small datasets keep all threads busy.
constexpr int64_t kRowsPerBlock = 256;

// Networks so wide that 256 rows of inputs and activations would take over 16 MiB get fewer rows.
constexpr int64_t kValuesPerBlock = int64_t{1} << 22;

}  // namespace

RowBlocks::RowBlocks(const Topology& topology, int64_t rows) : rows_(rows) {
  int64_t units = topology.inputs;
  for (const LayerSpec& layer : topology.layers) units += layer.units;
  const int64_t block_rows =
      std::clamp(kValuesPerBlock / std::max(units, int64_t{1}), int64_t{1}, kRowsPerBlock);
  count_ = static_cast<int>((rows + block_rows - 1) / block_rows);
}

}  // namespace mlp

#include "core/train/training_memory.h"

#include <limits>

#include "core/train/row_blocks.h"

namespace mlp {
namespace {

// Ceres' and our own vectors of doubles besides L-BFGS's memory: points, gradients, directions, the
// best weights.
constexpr double kWorkingVectors = 12.0;

}  // namespace

int64_t TrainingMemory(const TrainingConfig& config, const DatasetSchema& schema, int64_t rows,
                       int threads) {
  // In double: the sum of what cannot be had may pass 2^63.
  const auto weights = static_cast<double>(ParameterCount(config.topology));
  const bool remembers_steps = config.optimizer.kind == OptimizerKind::kLbfgs;
  const double vectors =
      kWorkingVectors + (remembers_steps ? 2.0 * config.optimizer.lbfgs_history : 0.0);
  double units = 0.0;
  for (const LayerSpec& layer : config.topology.layers) units += layer.units;
  const double block_rows = RowBlocks(config.topology, rows).max_rows();

  const auto row_count = static_cast<double>(rows);
  const double dataset =
      row_count * (static_cast<double>(schema.row_bytes()) +
                   static_cast<double>(schema.features) * sizeof(float) + 2 * sizeof(int32_t));
  const double optimizer = weights * (vectors * sizeof(double) + sizeof(float));
  const double per_thread = (weights + 4.0 * units * block_rows) * sizeof(float);
  const double bytes = dataset + optimizer + per_thread * threads;
  constexpr auto kMost = std::numeric_limits<int64_t>::max();
  return bytes < static_cast<double>(kMost) ? static_cast<int64_t>(bytes) : kMost;
}

}  // namespace mlp

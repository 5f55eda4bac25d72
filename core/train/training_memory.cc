#include "core/train/training_memory.h"

#include <algorithm>
#include <limits>

#include "core/train/block_inputs.h"
#include "core/train/mini_batch_step.h"
#include "core/train/row_blocks.h"

namespace mlp {
namespace {

// Vectors of doubles besides L-BFGS's memory: the state of Ceres' minimizer before and after a
// step, the five points of its line search with their gradients, and of our own the newest Theta,
// the best and the checkpoint's. Counted by tests/bench/training_bench, as are all numbers here.
constexpr double kWorkingVectors = 26.0;

// Lists of at most 0.3 of the inputs, by row and by column, of 8 bytes an entry.
constexpr double kMostKeptBytesPerInput = 5.0;

// Objective's gradients of blocks, where one a thread is less.
constexpr double kGradientsAtOnceBytes = 4 << 20;

// BatchFeed's batches made ahead, where a batch is not larger.
constexpr double kBytesAhead = 4 << 20;

// All that is small, and what the allocator loses.
constexpr double kSmallParts = 2 << 20;

// In double: the sum of what cannot be had may pass 2^63.
struct Sizes {
  double rows;
  double weights;
  double inputs;
  double units;       // of all layers
  double block_rows;  // of the largest block
  double threads;

  // Activations, logits and two deltas of `some_rows` rows.
  double Activations(double some_rows) const { return 4.0 * units * some_rows * sizeof(float); }
};

double FullBatchBytes(const OptimizerOptions& optimizer, const Sizes& sizes) {
  const bool remembers_steps = optimizer.kind == OptimizerKind::kLbfgs;
  const double vectors = kWorkingVectors + (remembers_steps ? 2.0 * optimizer.lbfgs_history : 0.0);
  // For the training and the validation part each.
  const double kept = std::min(sizes.rows * sizes.inputs * kMostKeptBytesPerInput,
                               2.0 * BlockInputs::kMostKeptBytes);
  const double blocks =
      2.0 * sizes.threads *
      static_cast<double>(BlockInputs::ScratchBytes(static_cast<int64_t>(sizes.block_rows),
                                                    static_cast<int64_t>(sizes.inputs)));
  const double weights = sizes.weights * (vectors * sizeof(double) + 4.0 * sizeof(float));
  const double gradients =
      std::max(sizes.weights * sizeof(float) * sizes.threads, kGradientsAtOnceBytes);
  const double activations = 1.5 * sizes.Activations(sizes.block_rows) * sizes.threads;
  return kept + blocks + weights + gradients + activations + kSmallParts;
}

double MiniBatchBytes(const TrainingConfig& config, int threads, const Sizes& sizes) {
  const OptimizerOptions& optimizer = config.optimizer;
  const double batch_rows = std::min(static_cast<double>(optimizer.batch_size), sizes.rows);
  // Theta, velocity, best weights.
  const double remembered =
      3.0 + (optimizer.kind == OptimizerKind::kSgd ? 0.0 : 1.0) + optimizer.average_last_epochs;
  const double vectors = 2.0 * remembered;  // again in a checkpoint
  // Made ahead, and the one of the step with its dropout.
  const double batch_inputs = batch_rows * sizes.inputs * sizeof(float);
  const double batches = std::max(batch_inputs, kBytesAhead) + batch_inputs;
  const double block =
      sizes.Activations(sizes.block_rows) + sizes.block_rows * sizes.inputs * sizeof(float);
  const double order = sizes.rows * sizeof(int64_t);  // of the epoch, beside the split's
  return sizes.weights * vectors * sizeof(float) + batches + order +
         static_cast<double>(MiniBatchStep::Bytes(config, threads)) + block * sizes.threads +
         kSmallParts;
}

}  // namespace

int64_t TrainingMemory(const TrainingConfig& config, const DatasetSchema& schema, int64_t rows,
                       int threads) {
  double units = 0.0;
  for (const LayerSpec& layer : config.topology.layers) units += layer.units;
  const Sizes sizes = {
      .rows = static_cast<double>(rows),
      .weights = static_cast<double>(ParameterCount(config.topology)),
      .inputs = static_cast<double>(schema.features),
      .units = units,
      .block_rows = static_cast<double>(RowBlocks(config.topology, rows).max_rows()),
      .threads = static_cast<double>(threads)};
  // With two numbers a row beside the features: labels, and the order of the rows.
  const double dataset =
      sizes.rows * (static_cast<double>(schema.row_bytes()) + sizeof(int32_t) + sizeof(int64_t));
  const double bytes =
      dataset + (OnMiniBatches(config.optimizer.kind) ? MiniBatchBytes(config, threads, sizes)
                                                      : FullBatchBytes(config.optimizer, sizes));
  constexpr auto kMost = std::numeric_limits<int64_t>::max();
  return bytes < static_cast<double>(kMost) ? static_cast<int64_t>(bytes) : kMost;
}

}  // namespace mlp

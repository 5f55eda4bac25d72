// One step of a mini-batch optimizer: forward propagation of a batch, backpropagation,
// regularization and the update of Theta. The inner loop of mini-batch training: MiniBatchTraining
// feeds it.
#pragma once

#include <cstdint>
#include <memory>

#include <absl/types/span.h>

#include "core/base/thread_pool.h"
#include "core/nn/tile_product.h"
#include "core/train/mini_batch_state.h"
#include "core/train/training_config.h"

namespace mlp {

// Examples of one step.
struct MiniBatch {
  const float* inputs;               // [rows x D] row-major, scaled
  absl::Span<const int32_t> labels;  // [rows]
  absl::Span<const float> weights;   // [rows], or empty: all 1
};

struct MiniBatchStepResult {
  double cost_sum =
      0.0;  // weighted cross-entropy summed over rows, before the update, without penalties
  double gradient_norm =
      0.0;  // Euclidean, of the mean gradient with penalties, before it is clipped
};

// Thread-compatible. Same state, batch and options: same bits with any number of threads.
//
// The work is divided by units and not by rows of the batch: no gradients have to be added up, and
// a tile of weights is changed while its gradient is in the cache (LayerStep). The phases of a
// step, each divided among the threads of the pool. The first layer goes by whole products or by
// what is not 0 in the inputs, whichever is faster for the batch: the bits are the same.
//   inputs, forward through each layer, output, backward through each layer, gradient and update
class MiniBatchStep {
 public:
  // The phases of a step wait for each other and hand over what is in another core's cache. With
  // 128 rows, 2 threads make 0.77 steps in the time of one of 784-100-10 with a fifth of the inputs
  // not 0 (2 million multiplications), 0.96 of 400-100-10 (5 million), 1.05 of 784-100-10 with all
  // (10 million), 1.4 of 784-800-10 with a fifth (17 million).
  static constexpr int64_t kFewestForThreads = 8'000'000;

  // `training_rows` is m of the penalties lambda / (2 m) and l1 / m. Batches have at most
  // config.optimizer.batch_size rows. Keeps references to `pool` and `kernel`. A step of fewer than
  // `fewest_for_threads` multiplications of an input and a weight in its forward pass is made on
  // the calling thread alone.
  MiniBatchStep(const TrainingConfig& config, int64_t training_rows, ThreadPool& pool,
                const TileKernel& kernel = BestTileKernel(),
                int64_t fewest_for_threads = kFewestForThreads);
  ~MiniBatchStep();

  // A state at `theta`, with nothing remembered.
  MiniBatchState Start(VectorF theta) const;

  // Makes one step with `learning_rate`. Dropout masks follow from config.seed and state.steps.
  // With a result that is not finite, `state` is of no use any more. From a step on `state` is read
  // or changed only after Settle: until then some of its parameters may be elsewhere.
  MiniBatchStepResult Run(const MiniBatch& batch, double learning_rate, MiniBatchState& state);

  // Puts all parameters of the steps made on `state` into it.
  void Settle(MiniBatchState& state);

  // Bytes that a step with `config` holds, without its state; of its largest parts.
  static int64_t Bytes(const TrainingConfig& config, int threads,
                       const TileKernel& kernel = BestTileKernel());

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace mlp

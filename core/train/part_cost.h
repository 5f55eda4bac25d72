// The cost on a part of the split, computed without holding that part as floats.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <absl/types/span.h>

#include "core/base/thread_pool.h"
#include "core/nn/propagation.h"
#include "core/train/row_blocks.h"
#include "core/train/training_config.h"
#include "core/train/training_data.h"

namespace mlp {

// Thread-compatible. Memory: the activations and the scaled rows of one block a thread.
class PartCost {
 public:
  // Keeps references to `data`, `pool` and the rows, of which there is at least one.
  PartCost(const TrainingConfig& config, const TrainingData& data, absl::Span<const int64_t> rows,
           ThreadPool& pool);

  // Mean over the rows of weight times cross-entropy, without penalties, of the network with
  // parameters `theta`; summed in double in block order: the same bits with any number of threads.
  // NaN once `interrupted` (thread-safe, quick; may be empty) has said true, asked before each
  // block.
  double Evaluate(const float* theta, const std::function<bool()>& interrupted);

 private:
  const CostKind cost_;
  const TrainingData& data_;
  const absl::Span<const int64_t> rows_;
  ThreadPool& pool_;
  const RowBlocks blocks_;
  std::vector<Propagation<float>> workers_;  // one a thread
};

// lambda / (2 m) sum(Theta^2) + l1 / m sum|Theta|, both without biases: what J adds to the mean
// cross-entropy over m training examples.
double Penalty(const TrainingConfig& config, int64_t training_rows, const VectorF& theta);

}  // namespace mlp

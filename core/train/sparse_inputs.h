// The inputs of a part, most of which are 0, as lists of what is not, and the first layer's
// products with them: full-batch training goes through the same inputs at every evaluation.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/matrix.h"
#include "core/base/thread_pool.h"
#include "core/nn/network.h"
#include "core/nn/panels.h"
#include "core/nn/propagation.h"
#include "core/nn/propagation_scratch.h"
#include "core/nn/sparse_rows.h"
#include "core/train/row_blocks.h"

namespace mlp {

// For N rows of a block and panels of at most kSparsePanel units:
//   forward    Z [N x panel] = X [N x in] transpose(W) [in x panel] + b
//   gradient   transpose(dW) [in x panel] = transpose(X) [in x N] delta [N x panel]
// Thread-safe between two calls of SetWeights.
class SparseInputs {
 private:
  struct Lists;

 public:
  // Whether this CPU can do it, and it is faster than whole products with `features` [N x D].
  static bool Pay(const MatrixF& features);

  SparseInputs(const MatrixF& features, const RowBlocks& blocks,
               const ParameterLayout::Layer& first_layer, ThreadPool& pool);

  // Of which products are made until the next call. Keeps a reference to `theta`
  // [ParameterLayout::size].
  void SetWeights(const float* theta, ThreadPool& pool);

  // One block's products, in memory of `scratch`. Keeps references to all.
  class Block final : public InputProducts<float> {
   public:
    Block(const SparseInputs& inputs, int block, PropagationScratch& scratch)
        : inputs_(inputs), lists_(inputs.blocks_[static_cast<size_t>(block)]), scratch_(scratch) {}

    void WeightedSums(float* z) override;
    void WeightGradient(const float* delta, float* gradient) override;

   private:
    const SparseInputs& inputs_;
    const SparseInputs::Lists& lists_;
    PropagationScratch& scratch_;
  };

 private:
  // Of what is not 0 in a block.
  struct Lists {
    int64_t rows;
    PackedRows by_row;
    PackedRows by_column;  // a row here is an input
  };

  const ParameterLayout::Layer layer_;
  std::vector<Lists> blocks_;
  Panels weights_;  // transpose(W) [in x out]
  const float* biases_ = nullptr;
};

}  // namespace mlp

// The inputs of a block, most of which are 0, as lists of what is not, and the first layer's
// products with them, for full-batch training (BlockInputs).
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

namespace mlp {

// Of N rows of D inputs. Valid as long as who made them.
struct InputLists {
  int64_t rows;                // N
  const SparseRow* by_row;     // [N]
  const SparseRow* by_column;  // [D], a row here is an input
};

// Makes them in memory of its own, a block's after the other's. Thread-compatible.
class InputListMaker {
 public:
  InputListMaker(int64_t most_rows, int64_t inputs)
      : inputs_(inputs), by_row_(most_rows, inputs), by_column_(inputs, most_rows) {}

  // Of `values` [rows x inputs] row-major; until the next call.
  InputLists Make(const float* values, int64_t rows);

  static int64_t Bytes(int64_t most_rows, int64_t inputs) {
    return SparseRows::Bytes(most_rows, inputs) + SparseRows::Bytes(inputs, most_rows);
  }

 private:
  const int64_t inputs_;
  SparseRows by_row_;
  SparseRows by_column_;
};

// Copies of such lists without room to spare. Immutable; thread-safe.
class KeptInputLists {
 public:
  KeptInputLists(const InputLists& lists, int64_t inputs)
      : rows_(lists.rows), by_row_(lists.by_row, lists.rows), by_column_(lists.by_column, inputs) {}

  InputLists lists() const { return {rows_, by_row_.rows(), by_column_.rows()}; }

  static int64_t Bytes(const InputLists& lists, int64_t inputs) {
    return PackedRows::Bytes(lists.by_row, lists.rows) + PackedRows::Bytes(lists.by_column, inputs);
  }

 private:
  int64_t rows_;
  PackedRows by_row_;
  PackedRows by_column_;
};

// For N rows of a block and panels of at most kSparsePanel units:
//   forward    Z [N x panel] = X [N x in] transpose(W) [in x panel] + b
//   gradient   transpose(dW) [in x panel] = transpose(X) [in x N] delta [N x panel]
// Thread-safe between two calls of SetWeights.
class SparseInputs {
 public:
  // Whether this CPU can do it.
  static bool IsSupported();

  explicit SparseInputs(const ParameterLayout::Layer& first_layer);

  // Of which products are made until the next call. Keeps a reference to `theta`
  // [ParameterLayout::size].
  void SetWeights(const float* theta, ThreadPool& pool);

  // Floats that a Block of so many rows takes of its scratch memory.
  int64_t ScratchFloats(int64_t rows) const;

  // One block's products, in memory of `scratch`. Keeps references to all.
  class Block final : public InputProducts<float> {
   public:
    Block(const SparseInputs& inputs, const InputLists& lists, PropagationScratch& scratch)
        : inputs_(inputs), lists_(lists), scratch_(scratch) {}

    void WeightedSums(float* z) override;
    void WeightGradient(const float* delta, float* gradient) override;

   private:
    const SparseInputs& inputs_;
    const InputLists lists_;
    PropagationScratch& scratch_;
  };

 private:
  const ParameterLayout::Layer layer_;
  Panels weights_;  // transpose(W) [in x out]
  const float* biases_ = nullptr;
};

}  // namespace mlp

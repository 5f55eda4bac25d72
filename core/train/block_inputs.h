// The inputs of a part in the form that the first layer's products take them in: rows of numbers
// or, where most are 0, lists of what is not (SparseInputs). PartRows -> BlockInputs -> Objective.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/thread_pool.h"
#include "core/nn/network.h"
#include "core/nn/propagation_scratch.h"
#include "core/train/part_rows.h"
#include "core/train/row_blocks.h"
#include "core/train/sparse_inputs.h"

namespace mlp {

// An objective goes through the same inputs at every evaluation. The blocks that have room in
// kMostKeptBytes are made once and kept; the others are made anew each time, from rows as they are
// stored, with the same bits. Thread-safe for different workers between two calls of SetWeights.
class BlockInputs {
 public:
  static constexpr int64_t kMostKeptBytes = int64_t{16} << 20;

  // Keeps references to `rows` and `blocks`.
  BlockInputs(const PartRows& rows, const RowBlocks& blocks,
              const ParameterLayout::Layer& first_layer, ThreadPool& pool);

  // Of which SparseInputs makes products until the next call. Keeps a reference to `theta`.
  void SetWeights(const float* theta, ThreadPool& pool);

  // Calls `use` with the rows of a block (const float* [rows x D]) or with its products
  // (SparseInputs::Block), in memory of `worker`, and returns what it does.
  template <typename Use>
  auto With(int block, int worker, const Use& use) {
    Scratch& scratch = scratch_[static_cast<size_t>(worker)];
    if (!sparse_.has_value()) return use(Rows(block, scratch));
    return use(SparseInputs::Block(*sparse_, Lists(block, scratch), scratch.products));
  }

  // Bytes that a worker makes blocks of so many rows in.
  static int64_t ScratchBytes(int64_t rows, int64_t features);

 private:
  struct Scratch {
    PropagationScratch rows;
    std::optional<InputListMaker> lists;
    PropagationScratch products;
  };

  const float* Rows(int block, Scratch& scratch) const;
  InputLists Lists(int block, Scratch& scratch) const;
  // Whether most inputs are 0, by a sample.
  bool ListsPay() const;
  void KeepRows();
  void KeepLists();

  const PartRows& rows_;
  const RowBlocks& blocks_;
  std::optional<SparseInputs> sparse_;
  // The first blocks; one of the two has any.
  std::vector<PropagationScratch> kept_rows_;
  std::vector<KeptInputLists> kept_lists_;
  std::vector<Scratch> scratch_;  // by worker
};

}  // namespace mlp

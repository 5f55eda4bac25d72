// Forward propagation for serving: any number of rows through a network, of which nothing is kept
// but the outputs. The layers' arithmetic is that of Propagation, which trains.
#pragma once

#include <cstdint>

#include "core/nn/network.h"
#include "core/nn/propagation_scratch.h"

namespace mlp {

// Rows to propagate at once: as many as the products are fastest with, fewer where the activations
// of a very wide network would take over 8 MiB, at least 1.
int64_t RecommendedBlockRows(const Topology& topology);

// Each row's outputs have the same bits whatever rows come with it, where
// WeightedSumsKeepTheirBits: see docs/numerics.md. Immutable; thread-safe, with a scratch a thread.
class ForwardPropagation {
 public:
  // Both outlive it. `theta` [layout.size].
  ForwardPropagation(const Topology& topology, const float* theta);

  // Propagates `inputs` [rows x D] to `outputs` [rows x K], both row-major, in blocks of
  // block_rows(). Throws std::bad_alloc where the scratch cannot grow.
  void Run(const float* inputs, int64_t rows, float* outputs, PropagationScratch& scratch) const;

  // RecommendedBlockRows of the topology.
  int64_t block_rows() const { return block_rows_; }
  // Floating-point operations of one row: two for each weight. A core does about 10^11 a second,
  // less where rows are few or layers small.
  int64_t flops_per_row() const { return 2 * weights_; }

  // The pieces of a Run, for ParallelForward.
  const Topology& topology() const { return topology_; }
  const ParameterLayout& layout() const { return layout_; }
  // Floats of scratch for `rows` rows.
  int64_t ScratchFloats(int64_t rows) const { return 2 * HalfScratchFloats(rows); }
  // Propagates at most block_rows() rows; `scratch` [ScratchFloats(rows)].
  void RunBlock(const float* inputs, int64_t rows, float* outputs, float* scratch) const;
  // Where layer `layer` of a block puts its activations [rows x units].
  float* LayerValues(size_t layer, int64_t rows, float* outputs, float* scratch) const;
  // Units [first, first + count) of a layer: from `below` [rows x in] to those columns of `values`
  // [rows x units]. A softmax needs all units of the layer: fewer of them are left as weighted
  // sums.
  void RunUnits(size_t layer, const float* below, int64_t rows, int64_t first, int64_t count,
                float* values) const;

 private:
  int64_t HalfScratchFloats(int64_t rows) const;

  const Topology& topology_;
  const float* const theta_;
  const ParameterLayout layout_;
  const int64_t block_rows_;
  int64_t widest_hidden_ = 0;
  int64_t weights_ = 0;
};

}  // namespace mlp

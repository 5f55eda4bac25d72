#include "core/nn/forward_propagation.h"

#include <algorithm>
#include <cassert>

#include "core/nn/activation.h"
#include "core/nn/weighted_sums.h"

namespace mlp {
namespace {

// Measured (tests/bench/forward_bench): our own weighted sums are at their best from a few rows on,
// and 64 keep a block's activations in the cache; BLAS, which copies the weights anew for every
// block, wants more.
constexpr int64_t kBlockRows = 64;
constexpr int64_t kBlasBlockRows = 256;
constexpr int64_t kMostScratchFloats = int64_t{1} << 21;

int64_t WidestHidden(const Topology& topology) {
  int64_t widest = 0;
  for (size_t l = 0; l + 1 < topology.layers.size(); ++l) {
    widest = std::max<int64_t>(widest, topology.layers[l].units);
  }
  return widest;
}

}  // namespace

int64_t RecommendedBlockRows(const Topology& topology) {
  const int64_t row_floats = std::max<int64_t>(2 * WidestHidden(topology), 1);
  return std::clamp(kMostScratchFloats / row_floats, int64_t{1},
                    WeightedSumsKeepTheirBits() ? kBlockRows : kBlasBlockRows);
}

ForwardPropagation::ForwardPropagation(const Topology& topology, const float* theta)
    : topology_(topology),
      theta_(theta),
      layout_(topology),
      block_rows_(RecommendedBlockRows(topology)),
      widest_hidden_(WidestHidden(topology)) {
  for (const ParameterLayout::Layer& layer : layout_.layers) {
    weights_ += int64_t{layer.inputs} * layer.outputs;
  }
}

// Rounded up to whole cache lines, so that both halves begin on one.
int64_t ForwardPropagation::HalfScratchFloats(int64_t rows) const {
  return (rows * widest_hidden_ + 15) / 16 * 16;
}

float* ForwardPropagation::LayerValues(size_t layer, int64_t rows, float* outputs,
                                       float* scratch) const {
  if (layer + 1 == layout_.layers.size()) return outputs;
  return scratch + (layer % 2 == 0 ? 0 : HalfScratchFloats(rows));
}

void ForwardPropagation::RunUnits(size_t layer, const float* below, int64_t rows, int64_t first,
                                  int64_t count, float* values) const {
  const ParameterLayout::Layer& place = layout_.layers[layer];
  const LayerSpec& spec = topology_.layers[layer];
  const LayerUnits<float> units = {.weights = theta_ + place.weights + first * place.inputs,
                                   .biases = theta_ + place.biases + first,
                                   .units = count,
                                   .inputs = place.inputs};
  WeightedSums<float>(units, below, rows, values + first, place.outputs);
  if (count == place.outputs) {
    Activate<float>(spec, MatrixMap<float>(values, rows, count));
  } else if (spec.activation != Activation::kSoftmax) {
    for (int64_t i = 0; i < rows; ++i) {
      Activate<float>(spec, MatrixMap<float>(values + i * place.outputs + first, 1, count));
    }
  }
}

void ForwardPropagation::RunBlock(const float* inputs, int64_t rows, float* outputs,
                                  float* scratch) const {
  assert(rows >= 1 && rows <= block_rows_);
  const float* below = inputs;
  for (size_t l = 0; l < layout_.layers.size(); ++l) {
    float* values = LayerValues(l, rows, outputs, scratch);
    RunUnits(l, below, rows, 0, layout_.layers[l].outputs, values);
    below = values;
  }
}

void ForwardPropagation::Run(const float* inputs, int64_t rows, float* outputs,
                             PropagationScratch& scratch) const {
  float* values = scratch.Take(ScratchFloats(std::min(rows, block_rows_)));
  for (int64_t row = 0; row < rows; row += block_rows_) {
    RunBlock(inputs + row * topology_.inputs, std::min(block_rows_, rows - row),
             outputs + row * topology_.outputs(), values);
  }
}

}  // namespace mlp

#include "core/nn/parallel_forward.h"

#include <algorithm>

#include "core/nn/activation.h"

namespace mlp {
namespace {

// Waking a thread takes some microseconds, in which a core does about a million operations: a layer
// is divided from several times that on.
constexpr int64_t kFewestFlops = 8'000'000;

void RunBlocks(const ForwardPropagation& propagation, const float* inputs, int64_t rows,
               int64_t blocks, float* outputs, ThreadPool& pool, PropagationScratch& scratch) {
  const int64_t most_rows = (rows + blocks - 1) / blocks;
  const int64_t floats = propagation.ScratchFloats(most_rows);
  float* values = scratch.Take(floats * pool.threads());
  pool.ParallelFor(static_cast<int>(blocks), [&](int block, int worker) {
    const int64_t row = rows * block / blocks;
    propagation.RunBlock(
        inputs + row * propagation.topology().inputs, rows * (block + 1) / blocks - row,
        outputs + row * propagation.topology().outputs(), values + floats * worker);
  });
}

// At most block_rows() rows.
void RunLayers(const ForwardPropagation& propagation, const float* inputs, int64_t rows,
               float* outputs, ThreadPool& pool, PropagationScratch& scratch) {
  float* scratch_values = scratch.Take(propagation.ScratchFloats(rows));
  const float* below = inputs;
  for (size_t l = 0; l < propagation.layout().layers.size(); ++l) {
    const int64_t units = propagation.layout().layers[l].outputs;
    const int64_t flops = 2 * rows * units * propagation.layout().layers[l].inputs;
    const int64_t parts = flops < kFewestFlops ? 1 : std::min<int64_t>(units, pool.threads());
    float* values = propagation.LayerValues(l, rows, outputs, scratch_values);
    pool.ParallelFor(static_cast<int>(parts), [&](int part, int) {
      const int64_t first = units * part / parts;
      propagation.RunUnits(l, below, rows, first, units * (part + 1) / parts - first, values);
    });
    const LayerSpec& spec = propagation.topology().layers[l];
    if (parts > 1 && spec.activation == Activation::kSoftmax) {
      Activate<float>(spec, MatrixMap<float>(values, rows, units));
    }
    below = values;
  }
}

}  // namespace

void ParallelForward(const ForwardPropagation& propagation, const float* inputs, int64_t rows,
                     float* outputs, ThreadPool& pool, PropagationScratch& scratch) {
  const int64_t block_rows = propagation.block_rows();
  if (rows > block_rows * (pool.threads() - 1)) {
    // As many blocks for each thread, where the rows allow.
    const int64_t rounds = (rows + block_rows * pool.threads() - 1) / (block_rows * pool.threads());
    RunBlocks(propagation, inputs, rows, std::min(rows, rounds * pool.threads()), outputs, pool,
              scratch);
    return;
  }
  for (int64_t row = 0; row < rows; row += block_rows) {
    RunLayers(propagation, inputs + row * propagation.topology().inputs,
              std::min(block_rows, rows - row), outputs + row * propagation.topology().outputs(),
              pool, scratch);
  }
}

}  // namespace mlp

// One forward propagation on several cores at once: for networks so large that a few rows are worth
// waking other threads.
#pragma once

#include <cstdint>

#include "core/base/thread_pool.h"
#include "core/nn/forward_propagation.h"

namespace mlp {

// ForwardPropagation::Run on the threads of `pool`: `inputs` [rows x D] to `outputs` [rows x K].
// Many rows are divided into blocks that run side by side. Of fewer rows each layer's units are
// divided instead, so that each core reads its share of the weights only; small layers stay on the
// calling thread. The outputs have the bits of Run, where WeightedSumsKeepTheirBits; otherwise they
// differ within the bound of docs/numerics.md.
// The calling thread has `pool` for itself and owns `scratch`. Throws std::bad_alloc.
void ParallelForward(const ForwardPropagation& propagation, const float* inputs, int64_t rows,
                     float* outputs, ThreadPool& pool, PropagationScratch& scratch);

}  // namespace mlp

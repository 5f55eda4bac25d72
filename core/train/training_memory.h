// How much memory a training needs: asked before a job is taken, so that one job cannot take it
// all.
#pragma once

#include <cstdint>

#include "core/data/dataset.h"
#include "core/train/training_config.h"

namespace mlp {

// Bytes that Train holds at its peak, estimated from above, for `rows` rows of `schema` on
// `threads` threads: the dataset as stored and as floats, the optimizer's vectors (L-BFGS remembers
// two double vectors of all weights a pair of steps), a gradient and a block of activations a
// thread. Saturates at INT64_MAX. Requires a configuration that ValidateForDataset accepts.
int64_t TrainingMemory(const TrainingConfig& config, const DatasetSchema& schema, int64_t rows,
                       int threads);

}  // namespace mlp

// How much memory a training needs: asked before a job is taken, so that one job cannot take it
// all.
#pragma once

#include <cstdint>

#include "core/data/dataset.h"
#include "core/train/training_config.h"

namespace mlp {

// Bytes that Train holds at its peak, estimated from above, for `rows` rows of `schema` on
// `threads` threads. Full batch: the dataset as stored and what BlockInputs keeps of it, the
// optimizer's vectors (L-BFGS remembers two double vectors of all weights a pair of steps), a
// gradient and a block of inputs and activations a thread. Mini-batches: the dataset as stored,
// float vectors of all weights (Theta, the optimizer's one or two, gradient, best weights, those of
// the epochs to be averaged, and a checkpoint of these), batches that are made ahead, and the
// activations of a batch and of a block a thread. Saturates at INT64_MAX. Requires a configuration
// that ValidateForDataset accepts.
int64_t TrainingMemory(const TrainingConfig& config, const DatasetSchema& schema, int64_t rows,
                       int threads);

}  // namespace mlp

// Trains with SGD, Adam or AdamW: epochs of BatchFeed -> MiniBatchStep -> TrainedWeights.
#pragma once

#include "core/train/trained_weights.h"
#include "core/train/training_config.h"
#include "core/train/training_context.h"
#include "core/train/training_data.h"

namespace mlp {

// From `start` [weights], or from context.resume, where it goes on to the same bits as if it had
// not stopped. Cancelled and diverged trainings are outcomes. Returns within one step, or one block
// of rows of a cost, of context.stop being requested.
//
// At the end of each epoch the weights are those of the lowest validation cost so far or, without a
// validation part, the newest ones; these are returned on every exit path. Where they are averaged
// and average_last_epochs epochs were made, their mean is returned instead, if its validation cost
// is lower or there is no such part. A time limit within an epoch ends that epoch early. Weights
// that are not finite are never kept.
TrainedWeights TrainOnMiniBatches(const TrainingConfig& config, const TrainingData& data,
                                  VectorF start, const TrainingContext& context);

}  // namespace mlp

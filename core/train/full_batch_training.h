// Trains with L-BFGS or conjugate gradient: Objective + Optimizer -> TrainedWeights.
#pragma once

#include "core/train/trained_weights.h"
#include "core/train/training_config.h"
#include "core/train/training_context.h"
#include "core/train/training_data.h"

namespace mlp {

// From `start` [weights], or from context.resume. The best weights are those of the lowest
// validation cost, without a validation part of the lowest J. Cancelled and diverged trainings are
// outcomes.
TrainedWeights TrainFullBatch(const TrainingConfig& config, const TrainingData& data,
                              Vector<double> start, const TrainingContext& context);

}  // namespace mlp

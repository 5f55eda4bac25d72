// Trains one network: Dataset -> TrainingData (split and scaling) -> full-batch or mini-batch
// training -> Network, with an evaluation of each part of the split.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include <absl/status/statusor.h>

#include "core/base/thread_pool.h"
#include "core/data/dataset.h"
#include "core/data/feature_scaler.h"
#include "core/data/split.h"
#include "core/eval/evaluation.h"
#include "core/nn/network.h"
#include "core/optim/optimizer.h"
#include "core/train/training_config.h"
#include "core/train/training_context.h"

namespace mlp {

struct TrainingOutcome {
  StopReason reason = StopReason::kConverged;
  std::string message;
  NetworkF network;  // the best weights seen
  FeatureScaler scaler = FeatureScaler::Identity(1);
  int iterations = 0;
  int best_iteration = 0;  // the one that `network` is of
  double initial_cost = 0.0;
  double final_cost = 0.0;  // J of `network`
  double seconds = 0.0;     // wall time of the optimization
  std::optional<double> gradient_check_error;
  // Empty on kCancelled and kDiverged; otherwise one a non-empty part.
  std::optional<Evaluation> training;
  std::optional<Evaluation> validation;
  std::optional<Evaluation> test;
};

// Checks that `config` fits data of this schema: INVALID_ARGUMENT or FAILED_PRECONDITION naming the
// field (`network.layers: expected 400 inputs, as dataset has features, got 399`), and
// ValidateTrainingConfig's errors.
absl::Status ValidateForDataset(const TrainingConfig& config, const DatasetSchema& schema);

// Checks that a training can start from this network: FAILED_PRECONDITION where it has another
// shape
// (`initial_model: expected layers 400-25-10, got 400-30-10`).
absl::Status ValidateWarmStart(const TrainingConfig& config, const WarmStart& warm_start);

// Runs on the calling thread and context.pool. The test part is read once, at the end. Cancelled
// and diverged trainings are outcomes, not errors. Errors: ValidateForDataset's, SplitRows',
// ValidateWarmStart's of context.start, CheckExampleWeights'; FAILED_PRECONDITION where
// config.check_gradient finds a relative error of 1e-6 or more (sampled entries, at most 64 rows,
// in double). Requires a context.resume that ReadCheckpoint gave for `config`.
absl::StatusOr<TrainingOutcome> Train(const Dataset& dataset, const TrainingConfig& config,
                                      const TrainingContext& context);

// As Train, on rows that are divided already; config.split is left out of account. The parts hold
// rows of `dataset`, the training part at least one.
absl::StatusOr<TrainingOutcome> TrainOnSplit(const Dataset& dataset, Split split,
                                             const TrainingConfig& config,
                                             const TrainingContext& context);

// As EvaluateRows, or nothing where `interrupted` (thread-safe, quick; may be empty) said true.
std::optional<Evaluation> TryEvaluateRows(const NetworkF& network, CostKind cost,
                                          const FeatureScaler& scaler, const Dataset& dataset,
                                          absl::Span<const int64_t> rows, ThreadPool& pool,
                                          const std::function<bool()>& interrupted,
                                          const EvaluationOptions& options = {});

// Runs `network` on the rows of `dataset` and evaluates the answers: the outputs that Predict
// gives, to the bit where WeightedSumsKeepTheirBits. WorstExample::row is a row of `dataset`.
// Requires a matching schema.
Evaluation EvaluateRows(const NetworkF& network, CostKind cost, const FeatureScaler& scaler,
                        const Dataset& dataset, absl::Span<const int64_t> rows, ThreadPool& pool,
                        const EvaluationOptions& options = {});

}  // namespace mlp

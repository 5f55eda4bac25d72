// Trains one network: Dataset -> Split -> FeatureScaler -> Objective + Optimizer -> Network, with
// an evaluation of each part of the split.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include <absl/status/statusor.h>

#include "core/base/clock.h"
#include "core/base/thread_pool.h"
#include "core/data/dataset.h"
#include "core/data/feature_scaler.h"
#include "core/data/split.h"
#include "core/eval/evaluation.h"
#include "core/nn/network.h"
#include "core/optim/optimizer.h"
#include "core/train/progress.h"
#include "core/train/training_config.h"

namespace mlp {

struct TrainingOutcome {
  StopReason reason = StopReason::kConverged;
  std::string message;
  NetworkF network;  // the best weights seen
  FeatureScaler scaler = FeatureScaler::Identity(1);
  int iterations = 0;
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

// Runs on the calling thread and `pool`. `observer` may be null. Cancelled and diverged trainings
// are outcomes, not errors. Errors: ValidateForDataset's, SplitRows', FAILED_PRECONDITION where
// config.check_gradient finds a relative error of 1e-6 or more (sampled entries, at most 64 rows,
// in double).
absl::StatusOr<TrainingOutcome> Train(const Dataset& dataset, const TrainingConfig& config,
                                      ThreadPool& pool, const Clock& clock, std::stop_token stop,
                                      ProgressObserver* observer);

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

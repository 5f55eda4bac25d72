// A dataset as one training uses it: its Split -> FeatureScaler, and how much each example counts.
// The rows stay as they are stored; they are scaled where they are used.
#pragma once

#include <cstdint>
#include <vector>

#include <absl/status/status.h>
#include <absl/types/span.h>

#include "core/data/dataset.h"
#include "core/data/examples.h"
#include "core/data/feature_scaler.h"
#include "core/data/split.h"
#include "core/train/training_config.h"
#include "core/train/training_context.h"

namespace mlp {

// Immutable, thread-safe. `dataset` outlives it.
struct TrainingData {
  const Dataset& dataset;
  Split split;
  FeatureScaler scaler;        // fitted on the training part alone, or the warm start's
  std::vector<float> weights;  // [dataset.rows()], see ExampleWeights; empty: all 1
};

// Fits the scaler to the training part of `split`, or takes that of `start` (may be null). Requires
// a training part, and a `config` that fits the dataset and the start.
TrainingData PrepareData(const Dataset& dataset, Split split, const TrainingConfig& config,
                         const WarmStart* start);

// How much each example counts in J [dataset.rows()]: its own weight times that of its class, over
// the mean of the product over the training part, `training` [n >= 1], so that J stays comparable.
// The weight of a class is that in `options` or, balanced, n / (K n_k) (King and Zeng 2001, as
// scikit-learn has it; 1 for a class without examples). Empty where all examples count alike;
// Requires what CheckExampleWeights checks.
std::vector<float> ExampleWeights(const ClassWeightOptions& options, const Dataset& dataset,
                                  absl::Span<const int64_t> training);

// FAILED_PRECONDITION where no example of the training part counts.
absl::Status CheckExampleWeights(const Dataset& dataset, absl::Span<const int64_t> training);

// The weights of some rows; empty where data.weights is.
std::vector<float> WeightsOf(const TrainingData& data, absl::Span<const int64_t> rows);

// The rows of a part scaled, with their weights.
Examples GatherPart(const TrainingData& data, absl::Span<const int64_t> rows);

}  // namespace mlp

// A dataset as one training uses it: its Split -> FeatureScaler, and how much each class counts.
// The rows stay as they are stored; they are scaled where they are used.
#pragma once

#include <cstdint>
#include <vector>

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
  FeatureScaler scaler;              // fitted on the training part alone, or the warm start's
  std::vector<float> class_weights;  // [K], see ClassWeights; empty: all 1
};

// Fits the scaler to the training part of `split`, or takes that of `start` (may be null). Requires
// a training part, and a `config` that fits the dataset and the start.
TrainingData PrepareData(const Dataset& dataset, Split split, const TrainingConfig& config,
                         const WarmStart* start);

// How much an example of each class counts in J [K]: the weight in `options`, or, balanced,
// n / (K n_k) (King and Zeng 2001, as scikit-learn has it; 1 for a class without examples), then
// divided by its mean over the examples, `labels` [n >= 1], so that J stays comparable. Empty where
// all examples count alike.
std::vector<float> ClassWeights(const ClassWeightOptions& options, absl::Span<const int32_t> labels,
                                int classes);

// The weight of each example [N]; empty where `class_weights` is.
std::vector<float> ExampleWeights(absl::Span<const float> class_weights,
                                  absl::Span<const int32_t> labels);

// The rows of a part scaled, with their weights.
Examples GatherPart(const TrainingData& data, absl::Span<const int64_t> rows);

}  // namespace mlp

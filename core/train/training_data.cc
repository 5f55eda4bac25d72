#include "core/train/training_data.h"

#include <algorithm>
#include <utility>

namespace mlp {
namespace {

std::vector<int32_t> LabelsOf(const Dataset& dataset, absl::Span<const int64_t> rows) {
  std::vector<int32_t> labels;
  labels.reserve(rows.size());
  for (const int64_t row : rows) labels.push_back(dataset.labels[static_cast<size_t>(row)]);
  return labels;
}

}  // namespace

TrainingData PrepareData(const Dataset& dataset, Split split, const TrainingConfig& config,
                         const WarmStart* start) {
  // Fitted on the training rows alone: the other parts must stay unseen.
  FeatureScaler scaler = start != nullptr
                             ? start->scaler
                             : FeatureScaler::Fit(config.scaling, dataset, split.training);
  std::vector<float> class_weights = ClassWeights(
      config.class_weights, LabelsOf(dataset, split.training), dataset.schema.classes());
  return {.dataset = dataset,
          .split = std::move(split),
          .scaler = std::move(scaler),
          .class_weights = std::move(class_weights)};
}

std::vector<float> ClassWeights(const ClassWeightOptions& options, absl::Span<const int32_t> labels,
                                int classes) {
  if (options.weights.empty() && !options.balanced) return {};
  const auto count = static_cast<size_t>(classes);
  const auto examples = static_cast<double>(labels.size());
  std::vector<double> class_examples(count, 0.0);
  for (const int32_t label : labels) class_examples[static_cast<size_t>(label)] += 1.0;

  std::vector<double> weights = options.weights;
  if (options.balanced) {
    weights.assign(count, 1.0);
    for (size_t k = 0; k < count; ++k) {
      if (class_examples[k] > 0.0) weights[k] = examples / (classes * class_examples[k]);
    }
  }
  double sum = 0.0;
  for (size_t k = 0; k < count; ++k) sum += class_examples[k] * weights[k];
  std::vector<float> normalized;
  normalized.reserve(count);
  for (const double weight : weights) {
    normalized.push_back(static_cast<float>(weight * examples / sum));
  }
  // Without weights at all rather than with weights of 1: the same bits either way, but faster.
  const bool alike = std::all_of(normalized.begin(), normalized.end(),
                                 [](float weight) { return weight == 1.0f; });
  return alike ? std::vector<float>() : normalized;
}

std::vector<float> ExampleWeights(absl::Span<const float> class_weights,
                                  absl::Span<const int32_t> labels) {
  std::vector<float> weights;
  if (class_weights.empty()) return weights;
  weights.reserve(labels.size());
  for (const int32_t label : labels) weights.push_back(class_weights[static_cast<size_t>(label)]);
  return weights;
}

Examples GatherPart(const TrainingData& data, absl::Span<const int64_t> rows) {
  Examples examples = GatherExamples(data.dataset, rows, data.scaler);
  examples.weights = ExampleWeights(data.class_weights, examples.labels);
  return examples;
}

}  // namespace mlp

#include "core/train/training_data.h"

#include <algorithm>
#include <utility>

#include <absl/strings/str_cat.h>

namespace mlp {
namespace {

// The weight of each class [K]; empty: all 1.
std::vector<double> ClassWeights(const ClassWeightOptions& options, const Dataset& dataset,
                                 absl::Span<const int64_t> training) {
  if (!options.balanced) return options.weights;
  const int classes = dataset.schema.classes();
  std::vector<double> class_examples(static_cast<size_t>(classes), 0.0);
  for (const int64_t row : training) {
    class_examples[static_cast<size_t>(dataset.labels[static_cast<size_t>(row)])] += 1.0;
  }
  std::vector<double> weights;
  weights.reserve(class_examples.size());
  for (const double count : class_examples) {
    weights.push_back(count > 0.0 ? static_cast<double>(training.size()) / (classes * count) : 1.0);
  }
  return weights;
}

}  // namespace

TrainingData PrepareData(const Dataset& dataset, Split split, const TrainingConfig& config,
                         const WarmStart* start) {
  // Fitted on the training rows alone: the other parts must stay unseen.
  FeatureScaler scaler = start != nullptr
                             ? start->scaler
                             : FeatureScaler::Fit(config.scaling, dataset, split.training);
  std::vector<float> weights = ExampleWeights(config.class_weights, dataset, split.training);
  return {.dataset = dataset,
          .split = std::move(split),
          .scaler = std::move(scaler),
          .weights = std::move(weights)};
}

std::vector<float> ExampleWeights(const ClassWeightOptions& options, const Dataset& dataset,
                                  absl::Span<const int64_t> training) {
  const std::vector<double> of_class = ClassWeights(options, dataset, training);
  if (of_class.empty() && dataset.weights.empty()) return {};
  const auto weight = [&](size_t row) {
    const double own = dataset.weights.empty() ? 1.0 : static_cast<double>(dataset.weights[row]);
    return of_class.empty() ? own : own * of_class[static_cast<size_t>(dataset.labels[row])];
  };
  double sum = 0.0;
  for (const int64_t row : training) sum += weight(static_cast<size_t>(row));
  const double mean = sum / static_cast<double>(training.size());
  std::vector<float> weights;
  weights.reserve(dataset.labels.size());
  for (size_t row = 0; row < dataset.labels.size(); ++row) {
    weights.push_back(static_cast<float>(weight(row) / mean));
  }
  // Without weights at all rather than with weights of 1: the same bits either way, but faster.
  const bool alike =
      std::all_of(weights.begin(), weights.end(), [](float value) { return value == 1.0f; });
  return alike ? std::vector<float>() : weights;
}

absl::Status CheckExampleWeights(const Dataset& dataset, absl::Span<const int64_t> training) {
  const auto counts = [&](int64_t row) { return dataset.weights[static_cast<size_t>(row)] > 0.0f; };
  if (dataset.weights.empty() || std::any_of(training.begin(), training.end(), counts)) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat("weights: expected one above 0 among the ",
                                                    training.size(),
                                                    " examples of the training part, got none"));
}

std::vector<float> WeightsOf(const TrainingData& data, absl::Span<const int64_t> rows) {
  std::vector<float> weights;
  if (data.weights.empty()) return weights;
  weights.reserve(rows.size());
  for (const int64_t row : rows) weights.push_back(data.weights[static_cast<size_t>(row)]);
  return weights;
}

Examples GatherPart(const TrainingData& data, absl::Span<const int64_t> rows) {
  Examples examples = GatherExamples(data.dataset, rows, data.scaler);
  examples.weights = WeightsOf(data, rows);
  return examples;
}

}  // namespace mlp

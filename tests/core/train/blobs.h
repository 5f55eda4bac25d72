// A small dataset that can be learned, for the trainer's tests.
#pragma once

#include <array>
#include <string>

#include "core/base/random.h"
#include "core/data/dataset.h"
#include "core/train/training_config.h"

namespace mlp {

// Rows of 4 features around one centre for each of 3 classes, classes in turn.
inline Dataset Blobs(int rows) {
  constexpr std::array<std::array<double, 4>, 3> kCentres = {
      {{0.0, 0.0, 4.0, 100.0}, {4.0, 0.0, 0.0, 300.0}, {0.0, 4.0, 2.0, 200.0}}};
  Random random(1234, 0);
  Dataset dataset;
  dataset.schema = {.features = 4,
                    .feature_type = FeatureType::kFloat32,
                    .class_names = {"left", "middle", "right"},
                    .image = std::nullopt};
  for (int i = 0; i < rows; ++i) {
    const auto label = static_cast<size_t>(i % 3);
    for (const double centre : kCentres[label]) {
      const auto value = static_cast<float>(centre + 0.7 * random.Normal());
      dataset.features.append(reinterpret_cast<const char*>(&value), sizeof(value));
    }
    dataset.labels.push_back(static_cast<int32_t>(label));
  }
  return dataset;
}

// Overwrites one feature of one row.
inline void SetFeature(Dataset& dataset, int64_t row, int feature, float value) {
  const auto index = static_cast<size_t>(row * dataset.schema.features + feature);
  dataset.features.replace(index * sizeof(value), sizeof(value),
                           reinterpret_cast<const char*>(&value), sizeof(value));
}

// Trains 4-6-3 on half of the rows, with a quarter each for validation and test.
inline TrainingConfig BlobConfig() {
  TrainingConfig config;
  config.topology = {.inputs = 4, .layers = {{.units = 6}, {.units = 3}}};
  config.lambda = 0.1;
  config.split = {.training = 0.5, .validation = 0.25, .test = 0.25};
  config.scaling = Scaling::kStandard;
  config.stopping.max_iterations = 60;
  return config;
}

}  // namespace mlp

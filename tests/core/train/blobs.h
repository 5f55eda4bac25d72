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

// The same rows with labels that have nothing to do with them: what is learned is learned by heart.
inline Dataset NoiseBlobs(int rows) {
  Dataset dataset = Blobs(rows);
  Random random(5, 0);
  for (int32_t& label : dataset.labels) label = static_cast<int32_t>(random.Uniform(0.0, 3.0));
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

// 5x5 pixels, a bright spot in a place for each of 3 classes, on noise; classes in turn.
inline Dataset BlobImages(int rows) {
  constexpr std::array<int, 3> kPlaces = {6, 12, 18};
  Random random(4321, 0);
  Dataset dataset;
  dataset.schema = {.features = 25,
                    .feature_type = FeatureType::kUint8,
                    .class_names = {"left", "middle", "right"},
                    .image = ImageShape{.height = 5, .width = 5}};
  for (int i = 0; i < rows; ++i) {
    const auto label = static_cast<size_t>(i % 3);
    std::string pixels;
    for (int p = 0; p < 25; ++p) pixels.push_back(static_cast<char>(random.Below(60)));
    pixels[static_cast<size_t>(kPlaces[label])] = '\x7F';
    dataset.features += pixels;
    dataset.labels.push_back(static_cast<int32_t>(label));
  }
  return dataset;
}

// Trains 25-8-3 on BlobImages with all that a mini-batch training can do at once, for 6 epochs.
inline TrainingConfig BusyImageConfig(OptimizerKind kind) {
  TrainingConfig config;
  config.topology = {.inputs = 25,
                     .layers = {{.units = 8, .activation = Activation::kTanh}, {.units = 3}}};
  config.lambda = 0.1;
  config.split = {.training = 0.6, .validation = 0.2, .test = 0.2};
  config.regularization = {.l1 = 0.01, .dropout = {0.25}, .input_dropout = 0.1, .max_norm = 3.0};
  config.class_weights.weights = {1.0, 2.0, 1.5};
  config.augmentation = {.elastic_alpha = 2.0, .elastic_sigma = 1.0, .max_rotation_degrees = 10.0};
  config.optimizer.kind = kind;
  config.optimizer.batch_size = 32;
  config.optimizer.learning_rate = kind == OptimizerKind::kSgd ? 0.1 : 0.01;
  config.optimizer.weight_decay = kind == OptimizerKind::kAdam ? 0.0 : 0.001;
  config.optimizer.max_gradient_norm = 5.0;
  config.optimizer.average_last_epochs = 3;
  config.optimizer.schedule = {.kind = ScheduleKind::kCosine, .warm_up_epochs = 0.5};
  config.stopping.max_iterations = 6;
  config.stopping.cost_tolerance = 0.0;
  config.stopping.patience = 4;
  return config;
}

}  // namespace mlp

// A dataset of made-up images for benchmarks: the work is that of real ones.
#pragma once

#include <string>

#include "core/base/random.h"
#include "core/data/dataset.h"

namespace mlp::bench {

// uint8 values, ten classes that differ in the mean of each value.
inline Dataset MadeUpImages(int64_t rows, int features) {
  constexpr int kClasses = 10;
  Dataset images;
  images.schema.features = features;
  images.schema.feature_type = FeatureType::kUint8;
  for (int k = 0; k < kClasses; ++k) images.schema.class_names.push_back(std::to_string(k));
  images.features.reserve(static_cast<size_t>(rows * features));
  Random random(1, 0);
  std::string means;
  for (int i = 0; i < kClasses * features; ++i) {
    means.push_back(static_cast<char>(128.0 * random.Uniform()));
  }
  for (int64_t row = 0; row < rows; ++row) {
    const auto label = static_cast<int32_t>(row % kClasses);
    images.labels.push_back(label);
    for (int j = 0; j < features; ++j) {
      const char mean = means[static_cast<size_t>(label * features + j)];
      images.features.push_back(static_cast<char>(mean + 127.0 * random.Uniform()));
    }
  }
  return images;
}

}  // namespace mlp::bench

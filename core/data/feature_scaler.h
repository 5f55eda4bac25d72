// Maps each feature x_j to (x_j - offset_j) * scale_j. Fitted on the training part only, stored
// with the model, applied to every row that the network ever sees.
#pragma once

#include <cstdint>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/types/span.h>

#include "core/data/dataset.h"

namespace mlp {

enum class Scaling {
  kNone,
  kRange,     // one minimum and maximum over all features -> [0, 1]
  kMinMax,    // each feature's own minimum and maximum -> [0, 1]
  kStandard,  // each feature -> mean 0, standard deviation 1
};

// Immutable, thread-safe.
class FeatureScaler {
 public:
  // The identity on `features` features.
  static FeatureScaler Identity(int features);

  // Computes offsets and scales over `rows` of `dataset` (in double; deterministic). A feature that
  // does not vary gets scale 1 and its value as offset (kMinMax, kStandard), so it becomes 0.
  // kRange over data of one single value likewise. Requires rows not empty.
  static FeatureScaler Fit(Scaling scaling, const Dataset& dataset, absl::Span<const int64_t> rows);

  // From stored vectors of equal size D. INVALID_ARGUMENT where sizes differ or are 0, or a value
  // is not finite, or a scale is 0.
  static absl::StatusOr<FeatureScaler> Create(std::vector<float> offsets,
                                              std::vector<float> scales);

  int features() const { return static_cast<int>(offsets_.size()); }
  absl::Span<const float> offsets() const { return offsets_; }
  absl::Span<const float> scales() const { return scales_; }

  // Scales N rows of D values from `in` (float or byte) to `out`; both row-major, N = size / D.
  void Apply(absl::Span<const float> in, float* out) const;
  void Apply(absl::Span<const uint8_t> in, float* out) const;

 private:
  FeatureScaler(std::vector<float> offsets, std::vector<float> scales);

  std::vector<float> offsets_;
  std::vector<float> scales_;
};

}  // namespace mlp

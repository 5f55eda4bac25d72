// Scaled float rows with their labels: what the objective and the evaluation compute on.
#pragma once

#include <cstdint>
#include <vector>

#include <absl/types/span.h>

#include "core/base/matrix.h"
#include "core/data/dataset.h"
#include "core/data/feature_scaler.h"

namespace mlp {

// features [N x D] row-major and scaled; labels [N], each in [0, K).
struct Examples {
  MatrixF features;
  std::vector<int32_t> labels;
  std::vector<float> weights = {};  // [N], how much each counts in J; empty: all 1

  int64_t rows() const { return features.rows(); }
};

// Copies the given rows of `dataset` in the given order, scaled, to `out` [N x D] row-major.
// Requires every row < dataset.rows() and scaler.features() == D.
void CopyScaledRows(const Dataset& dataset, absl::Span<const int64_t> rows,
                    const FeatureScaler& scaler, float* out);

// The same with their labels.
Examples GatherExamples(const Dataset& dataset, absl::Span<const int64_t> rows,
                        const FeatureScaler& scaler);

}  // namespace mlp

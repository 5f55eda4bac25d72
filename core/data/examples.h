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

  int64_t rows() const { return features.rows(); }
};

// The given rows of `dataset`, in the given order, scaled. Requires every row < dataset.rows() and
// scaler.features() == D.
Examples GatherExamples(const Dataset& dataset, absl::Span<const int64_t> rows,
                        const FeatureScaler& scaler);

}  // namespace mlp

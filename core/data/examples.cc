#include "core/data/examples.h"

#include <cassert>
#include <cstring>

namespace mlp {

void CopyScaledRows(const Dataset& dataset, absl::Span<const int64_t> rows,
                    const FeatureScaler& scaler, float* out) {
  const auto features = static_cast<size_t>(dataset.schema.features);
  assert(scaler.features() == dataset.schema.features);
  const bool is_float = dataset.schema.feature_type == FeatureType::kFloat32;
  std::vector<float> raw(is_float ? features : 0);
  for (const int64_t row : rows) {
    assert(row >= 0 && row < dataset.rows());
    if (is_float) {
      CopyRow(dataset, row, absl::MakeSpan(raw));
      scaler.Apply(absl::MakeConstSpan(raw), out);
    } else {
      const auto* pixels = reinterpret_cast<const uint8_t*>(dataset.features.data());
      scaler.Apply(absl::MakeConstSpan(pixels + static_cast<size_t>(row) * features, features),
                   out);
    }
    out += features;
  }
}

Examples GatherExamples(const Dataset& dataset, absl::Span<const int64_t> rows,
                        const FeatureScaler& scaler) {
  Examples examples;
  examples.features.resize(static_cast<Eigen::Index>(rows.size()), dataset.schema.features);
  CopyScaledRows(dataset, rows, scaler, examples.features.data());
  examples.labels.reserve(rows.size());
  for (const int64_t row : rows) {
    examples.labels.push_back(dataset.labels[static_cast<size_t>(row)]);
  }
  return examples;
}

}  // namespace mlp

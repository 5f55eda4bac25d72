#include "core/train/part_rows.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace mlp {

PartRows RowsOf(const TrainingData& data, absl::Span<const int64_t> rows) {
  PartRows part;
  part.count = static_cast<int64_t>(rows.size());
  part.features = data.dataset.schema.features;
  part.copy = [&data, rows](int64_t begin, int64_t count, float* out) {
    CopyScaledRows(data.dataset,
                   rows.subspan(static_cast<size_t>(begin), static_cast<size_t>(count)),
                   data.scaler, out);
  };
  part.labels.reserve(rows.size());
  for (const int64_t row : rows) {
    part.labels.push_back(data.dataset.labels[static_cast<size_t>(row)]);
  }
  part.weights = WeightsOf(data, rows);
  return part;
}

PartRows RowsOf(Examples examples) {
  PartRows part;
  part.count = examples.rows();
  part.features = static_cast<int>(examples.features.cols());
  // Shared since a std::function is copied; nobody else has it.
  auto features = std::make_shared<const MatrixF>(std::move(examples.features));
  part.copy = [features = std::move(features)](int64_t begin, int64_t count, float* out) {
    std::copy_n(features->data() + begin * features->cols(), count * features->cols(), out);
  };
  part.labels = std::move(examples.labels);
  part.weights = std::move(examples.weights);
  return part;
}

}  // namespace mlp

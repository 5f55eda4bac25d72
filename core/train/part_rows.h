// The rows of a part as an objective goes through them: not as a matrix, but a few at a time.
// Dataset or Examples -> PartRows -> Objective.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <absl/types/span.h>

#include "core/data/examples.h"
#include "core/train/training_data.h"

namespace mlp {

// N rows of D features. Immutable; thread-safe.
struct PartRows {
  int64_t count = 0;  // N
  int features = 0;   // D
  // Writes so many rows from `begin` on, scaled, to `out` [rows x D] row-major.
  std::function<void(int64_t begin, int64_t rows, float* out)> copy;
  std::vector<int32_t> labels;      // [N]
  std::vector<float> weights = {};  // [N], or empty: all 1
};

// Rows of a dataset, which stay as they are stored. Keeps references to both.
PartRows RowsOf(const TrainingData& data, absl::Span<const int64_t> rows);

// Rows that are scaled already.
PartRows RowsOf(Examples examples);

}  // namespace mlp

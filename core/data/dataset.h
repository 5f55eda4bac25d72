// A dataset in memory: labelled examples as they were uploaded. It comes out of the store and goes
// into Split, FeatureScaler and evaluation.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/strings/string_view.h>
#include <absl/types/span.h>

namespace mlp {

enum class FeatureType { kUint8, kFloat32 };

// Bytes of one feature value.
int FeatureBytes(FeatureType type);

// Row-major, channels last.
struct ImageShape {
  int height = 0;
  int width = 0;
  int channels = 1;

  bool operator==(const ImageShape&) const = default;
};

// What is known of a dataset without its rows.
struct DatasetSchema {
  int features = 0;  // D
  FeatureType feature_type = FeatureType::kFloat32;
  std::vector<std::string> class_names;  // K names
  std::optional<ImageShape> image;

  int classes() const { return static_cast<int>(class_names.size()); }
  int64_t row_bytes() const { return int64_t{features} * FeatureBytes(feature_type); }
};

// INVALID_ARGUMENT naming the field: features outside [1, 2^20], fewer than 2 or more than 10,000
// class names, an empty, overlong (over 128 bytes) or repeated class name, class names that are not
// UTF-8, an image whose size does not match.
absl::Status ValidateSchema(const DatasetSchema& schema);

// Immutable once filled. `features` holds N rows of schema.row_bytes() bytes each, little-endian,
// row-major; labels[i] in [0, K); weights[i], finite and at least 0, is how much example i counts
// in the cost.
struct Dataset {
  DatasetSchema schema;
  std::string features;
  std::vector<int32_t> labels;
  std::vector<float> weights = {};  // [N], or empty: all 1

  int64_t rows() const { return static_cast<int64_t>(labels.size()); }
};

// Checks that every float32 in `bytes` is finite. `first_value` is the index of the first value
// within the whole dataset, `features` the row width D: both for the message. INVALID_ARGUMENT
// naming row and feature. `bytes` must hold whole values.
absl::Status CheckFinite(absl::string_view bytes, int64_t first_value, int features);

// Checks labels against [0, classes). `first_row` is the row of labels[0]. INVALID_ARGUMENT naming
// the row.
absl::Status CheckLabels(absl::Span<const int32_t> labels, int64_t first_row, int classes);

// Checks that every weight is finite and at least 0. `first_row` is the row of weights[0].
// INVALID_ARGUMENT naming the row.
absl::Status CheckWeights(absl::Span<const float> weights, int64_t first_row);

// Copies row `row` as D floats, unscaled, to `out`. Requires row < rows() and out.size() == D.
void CopyRow(const Dataset& dataset, int64_t row, absl::Span<float> out);

}  // namespace mlp

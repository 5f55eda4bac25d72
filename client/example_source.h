// Labelled examples on their way into a dataset: what the readers give and Client::UploadDataset
// takes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <absl/status/status.h>

#include "mlp/v1/dataset.pb.h"

namespace mlp {

// Some rows: row-major values of the source's feature type (float32 as little-endian bytes), one
// label a row, and, where the header says weighted, one weight a row.
struct ExampleBlock {
  std::string features;
  std::vector<int32_t> labels;
  std::vector<float> weights = {};
};

// Thread-compatible.
class ExampleSource {
 public:
  virtual ~ExampleSource() = default;

  // All but name and request_id: rows, features, their type, the classes and the image's shape.
  virtual const v1::DatasetHeader& header() const = 0;

  // Replaces `block` with the next 1 to max_rows rows; an empty block is the end. After an error
  // only Rewind may be called.
  virtual absl::Status Read(int64_t max_rows, ExampleBlock& block) = 0;

  // Starts again at the first row.
  virtual absl::Status Rewind() = 0;
};

// Bytes of one row of the type: features for uint8, 4 * features for float32.
inline int64_t RowBytes(const v1::DatasetHeader& header) {
  return int64_t{header.features()} * (header.feature_type() == v1::FEATURE_TYPE_UINT8 ? 1 : 4);
}

}  // namespace mlp

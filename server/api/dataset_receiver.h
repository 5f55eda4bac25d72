// Takes an upload apart from gRPC: header, then chunks, then the end. It checks everything, hashes
// as it goes, and hands whole rows on to the store, so that memory stays within a few chunks.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "core/base/hash.h"
#include "core/data/dataset.h"
#include "mlp/v1/dataset.pb.h"
#include "server/store/store.h"

namespace mlp {

inline constexpr size_t kMaxChunkBytes = size_t{1} << 20;

struct DatasetLimits {
  int64_t max_dataset_bytes = int64_t{16} << 30;
};

// Destroying it before Finish leaves nothing behind. Thread-compatible.
class DatasetReceiver {
 public:
  // Checks the header and opens the upload. INVALID_ARGUMENT naming the field, ALREADY_EXISTS,
  // RESOURCE_EXHAUSTED (over the limits).
  static absl::StatusOr<std::unique_ptr<DatasetReceiver>> Start(const v1::DatasetHeader& header,
                                                                const DatasetLimits& limits,
                                                                Store& store);

  // INVALID_ARGUMENT: a label outside the classes, NaN or infinity, a weight below 0 or of a
  // dataset without weights, more rows than announced, labels and features more than 8 MiB apart.
  // RESOURCE_EXHAUSTED: a chunk over kMaxChunkBytes.
  absl::Status Add(const v1::DatasetChunk& chunk);

  // INVALID_ARGUMENT where rows are missing or cut; otherwise the dataset as stored.
  absl::StatusOr<v1::Dataset> Finish();

 private:
  DatasetReceiver(const v1::DatasetHeader& header, DatasetSchema schema,
                  std::unique_ptr<DatasetUpload> upload);

  absl::Status AddFeatures(const std::string& features);
  absl::Status AddLabels(const v1::DatasetChunk& chunk);
  absl::Status AddWeights(const v1::DatasetChunk& chunk);
  // The first rows that are there whole go to the store.
  absl::Status FlushWholeRows();
  absl::Status HandOn(size_t rows);

  const v1::DatasetHeader header_;
  const DatasetSchema schema_;
  std::unique_ptr<DatasetUpload> upload_;
  // Received but not yet handed on: a part of a row, or rows whose labels are still to come.
  std::string pending_features_;
  std::vector<int32_t> pending_labels_;
  std::vector<float> pending_weights_;
  int64_t feature_bytes_ = 0;  // received in all
  int64_t labels_ = 0;         // received in all
  int64_t weights_ = 0;        // received in all
  std::string label_bytes_;    // all labels, little-endian: hashed after the last feature
  std::string weight_bytes_;   // all weights, the same: hashed after the last label
  std::vector<int64_t> class_counts_;
  Sha256 hash_;
};

}  // namespace mlp

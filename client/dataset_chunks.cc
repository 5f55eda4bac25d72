#include "client/dataset_chunks.h"

#include <algorithm>

#include "client/status_macros.h"

namespace mlp {
namespace {

// Of a label, at most, and a weight on the wire.
int64_t BytesBesideFeatures(const v1::DatasetHeader& header) { return header.weighted() ? 9 : 5; }

int64_t RowsPerChunk(const v1::DatasetHeader& header) {
  const int64_t row_bytes = RowBytes(header) + BytesBesideFeatures(header);
  return std::max<int64_t>(1, static_cast<int64_t>(kMaxUploadChunkBytes) / row_bytes);
}

}  // namespace

DatasetChunks::DatasetChunks(ExampleSource& source)
    : source_(source), rows_per_chunk_(RowsPerChunk(source.header())) {}

absl::StatusOr<bool> DatasetChunks::Next(v1::DatasetChunk& chunk) {
  chunk.Clear();
  if (sent_ == block_.features.size()) {
    MLP_RETURN_IF_ERROR(source_.Read(rows_per_chunk_, block_));
    sent_ = 0;
    if (block_.labels.empty()) return false;
    rows_ += static_cast<int64_t>(block_.labels.size());
    chunk.mutable_labels()->Add(block_.labels.begin(), block_.labels.end());
    chunk.mutable_weights()->Add(block_.weights.begin(), block_.weights.end());
    const size_t beside =
        block_.labels.size() * static_cast<size_t>(BytesBesideFeatures(source_.header()));
    if (block_.features.size() + beside <= kMaxUploadChunkBytes) {
      chunk.mutable_features()->swap(block_.features);  // the usual case, without a copy
      block_.features.clear();
      return true;
    }
  }
  const size_t piece = std::min(kMaxUploadChunkBytes - 16, block_.features.size() - sent_);
  chunk.mutable_features()->assign(block_.features, sent_, piece);
  sent_ += piece;
  return true;
}

}  // namespace mlp

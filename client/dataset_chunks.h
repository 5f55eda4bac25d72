// Cuts the rows of an ExampleSource into the messages of an upload.
#pragma once

#include <cstddef>
#include <cstdint>

#include <absl/status/statusor.h>

#include "client/example_source.h"
#include "mlp/v1/dataset.pb.h"

namespace mlp {

// Features, labels and weights of one chunk together.
inline constexpr size_t kMaxUploadChunkBytes = size_t{1} << 20;

// Thread-compatible. `source` must outlive it.
class DatasetChunks {
 public:
  explicit DatasetChunks(ExampleSource& source);

  // Replaces `chunk` with the next one, of at most kMaxUploadChunkBytes: whole rows with their
  // labels, or, where a row is longer than that, a piece of one. False at the end. The error is the
  // source's.
  absl::StatusOr<bool> Next(v1::DatasetChunk& chunk);

  // Rows begun so far.
  int64_t rows() const { return rows_; }

 private:
  ExampleSource& source_;
  const int64_t rows_per_chunk_;
  ExampleBlock block_;
  size_t sent_ = 0;  // bytes of block_.features; only a row longer than a chunk leaves some
  int64_t rows_ = 0;
};

}  // namespace mlp

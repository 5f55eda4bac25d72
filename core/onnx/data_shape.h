// The shape and type of what flows through a graph that is read: N rows, whatever N is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <onnx/onnx_pb.h>

namespace mlp {

struct DataShape {
  // The first dimension where the file fixes it, else -1.
  int64_t batch = -1;
  // The dimensions behind the first, each at least 1: one where rows are flat, three of an image.
  std::vector<int64_t> dims;
  bool uint8 = false;  // else float32

  bool flat() const { return dims.size() == 1; }
  int64_t features() const;  // D, the product of dims
  // "[N, 1, 28, 28]".
  std::string text() const;
};

// Of a graph's input. INVALID_ARGUMENT naming it: no tensor of float32 or uint8, dimensions that
// are not fixed but for the first, more than 2^20 features.
absl::StatusOr<DataShape> ReadDataShape(const onnx::ValueInfoProto& input);

}  // namespace mlp

// The values of a TensorProto (an initializer, or what a Constant node holds), after everything
// that it claims was held against the bytes that are there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/types/span.h>
#include <onnx/onnx_pb.h>

namespace mlp {

// A view of a TensorProto of float32, which outlives it; copies no values. Immutable; thread-safe.
class FloatTensor {
 public:
  // INVALID_ARGUMENT naming the tensor: another type than float32, values in another file, a
  // dimension below 1, over 16 dimensions, more or fewer values than the dimensions say, a value
  // that is not finite.
  static absl::StatusOr<FloatTensor> Read(const onnx::TensorProto& tensor);

  // No dimensions: one value.
  absl::Span<const int64_t> dims() const {
    return {tensor_->dims().data(), static_cast<size_t>(tensor_->dims_size())};
  }
  // "[300, 784]".
  std::string shape() const;
  // At least 1.
  int64_t size() const { return size_; }
  // Row-major; 0 <= i < size().
  float operator[](int64_t i) const;

  bool IsSameAs(const FloatTensor& other) const { return tensor_ == other.tensor_; }

 private:
  FloatTensor(const onnx::TensorProto& tensor, int64_t size) : tensor_(&tensor), size_(size) {}

  const onnx::TensorProto* tensor_;
  int64_t size_;
};

// A list of int64, at most `most` long, such as the shape that a Reshape makes. INVALID_ARGUMENT as
// FloatTensor::Read.
absl::StatusOr<std::vector<int64_t>> ReadInts(const onnx::TensorProto& tensor, int64_t most);

// One truth value. INVALID_ARGUMENT likewise.
absl::StatusOr<bool> ReadBool(const onnx::TensorProto& tensor);

}  // namespace mlp

#include "core/onnx/constant_tensor.h"

#include <bit>
#include <cmath>
#include <cstring>

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include "core/base/status_macros.h"
#include "core/onnx/onnx_node.h"

namespace mlp {
namespace {

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian");

constexpr int kMaxDimensions = 16;

absl::Status Wrong(const onnx::TensorProto& tensor, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("tensor ", Printable(tensor.name()), ": ", what));
}

std::string TypeName(int type) {
  return onnx::TensorProto::DataType_IsValid(type)
             ? onnx::TensorProto::DataType_Name(static_cast<onnx::TensorProto::DataType>(type))
             : absl::StrCat("the unknown type ", type);
}

absl::Status CheckDimensions(const onnx::TensorProto& tensor) {
  if (tensor.dims_size() > kMaxDimensions) {
    return Wrong(tensor, absl::StrCat("expected at most ", kMaxDimensions, " dimensions, got ",
                                      tensor.dims_size()));
  }
  for (const int64_t dim : tensor.dims()) {
    if (dim < 1) return Wrong(tensor, absl::StrCat("expected dimensions over 0, got ", dim));
  }
  return absl::OkStatus();
}

// The number of values, which are there: `value_bytes` each in raw_data, or `typed` of them in the
// field of their type.
absl::StatusOr<int64_t> CountValues(const onnx::TensorProto& tensor, int type, size_t value_bytes,
                                    int typed) {
  if (tensor.data_type() != type) {
    return Wrong(tensor, absl::StrCat("expected ", TypeName(type), " values, got ",
                                      TypeName(tensor.data_type())));
  }
  if (tensor.data_location() != onnx::TensorProto::DEFAULT || tensor.external_data_size() > 0) {
    return Wrong(tensor, "expected its values in this file, got a reference to another");
  }
  if (tensor.has_segment()) return Wrong(tensor, "tensors in segments are not supported");
  if (tensor.has_raw_data() && typed > 0) {
    return Wrong(tensor, "expected its values once, got them as raw data and as numbers");
  }
  const size_t raw_bytes = tensor.raw_data().size();
  if (raw_bytes % value_bytes != 0) {
    return Wrong(tensor, absl::StrCat("raw_data: expected a multiple of ", value_bytes,
                                      " bytes, got ", raw_bytes));
  }
  const int64_t there =
      tensor.has_raw_data() ? static_cast<int64_t>(raw_bytes / value_bytes) : typed;
  MLP_RETURN_IF_ERROR(CheckDimensions(tensor));
  int64_t claimed = 1;
  for (const int64_t dim : tensor.dims()) {
    // Stops before the product could overflow.
    if (claimed > there / dim) {
      return Wrong(tensor, absl::StrCat("expected as many values as the dimensions ",
                                        absl::StrJoin(tensor.dims(), " x "), " say, got ", there));
    }
    claimed *= dim;
  }
  if (claimed != there) {
    return Wrong(tensor, absl::StrCat("expected ", claimed, " values, got ", there));
  }
  return there;
}

template <typename T>
T RawValue(const onnx::TensorProto& tensor, int64_t i) {
  T value;
  std::memcpy(&value, tensor.raw_data().data() + static_cast<size_t>(i) * sizeof(T), sizeof(T));
  return value;
}

}  // namespace

absl::StatusOr<FloatTensor> FloatTensor::Read(const onnx::TensorProto& tensor) {
  MLP_ASSIGN_OR_RETURN(const int64_t size, CountValues(tensor, onnx::TensorProto::FLOAT,
                                                       sizeof(float), tensor.float_data_size()));
  const FloatTensor values(tensor, size);
  for (int64_t i = 0; i < size; ++i) {
    if (!std::isfinite(values[i])) {
      return Wrong(tensor,
                   absl::StrCat("value ", i, ": expected a finite number, got ", values[i]));
    }
  }
  return values;
}

std::string FloatTensor::shape() const {
  return absl::StrCat("[", absl::StrJoin(dims(), ", "), "]");
}

float FloatTensor::operator[](int64_t i) const {
  return tensor_->has_raw_data() ? RawValue<float>(*tensor_, i)
                                 : tensor_->float_data(static_cast<int>(i));
}

absl::StatusOr<std::vector<int64_t>> ReadInts(const onnx::TensorProto& tensor, int64_t most) {
  MLP_ASSIGN_OR_RETURN(const int64_t size, CountValues(tensor, onnx::TensorProto::INT64,
                                                       sizeof(int64_t), tensor.int64_data_size()));
  if (tensor.dims_size() != 1 || size > most) {
    return Wrong(tensor, absl::StrCat("expected a list of at most ", most, " numbers, got ", size,
                                      " numbers in ", tensor.dims_size(), " dimensions"));
  }
  std::vector<int64_t> values;
  for (int64_t i = 0; i < size; ++i) {
    values.push_back(tensor.has_raw_data() ? RawValue<int64_t>(tensor, i)
                                           : tensor.int64_data(static_cast<int>(i)));
  }
  return values;
}

absl::StatusOr<bool> ReadBool(const onnx::TensorProto& tensor) {
  MLP_ASSIGN_OR_RETURN(const int64_t size,
                       CountValues(tensor, onnx::TensorProto::BOOL, 1, tensor.int32_data_size()));
  if (size != 1) return Wrong(tensor, absl::StrCat("expected one truth value, got ", size));
  return tensor.has_raw_data() ? tensor.raw_data()[0] != 0 : tensor.int32_data(0) != 0;
}

}  // namespace mlp

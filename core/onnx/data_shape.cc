#include "core/onnx/data_shape.h"

#include <absl/strings/str_cat.h>

#include "core/nn/topology.h"
#include "core/onnx/onnx_node.h"

namespace mlp {
namespace {

// Images have four dimensions with the batch, films five.
constexpr int kMaxDimensions = 8;

}  // namespace

int64_t DataShape::features() const {
  int64_t product = 1;
  for (const int64_t dim : dims) product *= dim;
  return product;
}

std::string DataShape::text() const {
  std::string text = batch < 0 ? "[N" : absl::StrCat("[", batch);
  for (const int64_t dim : dims) absl::StrAppend(&text, ", ", dim);
  return text + "]";
}

absl::StatusOr<DataShape> ReadDataShape(const onnx::ValueInfoProto& input) {
  const auto wrong = [&input](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat("input ", Printable(input.name()), ": ", what));
  };
  if (!input.type().has_tensor_type()) return wrong("expected a tensor, got another type");
  const onnx::TypeProto::Tensor& type = input.type().tensor_type();
  DataShape shape;
  shape.uint8 = type.elem_type() == onnx::TensorProto::UINT8;
  if (!shape.uint8 && type.elem_type() != onnx::TensorProto::FLOAT) {
    const int got = type.elem_type();
    return wrong(absl::StrCat(
        "expected FLOAT or UINT8 values, got ",
        onnx::TensorProto::DataType_IsValid(got)
            ? onnx::TensorProto::DataType_Name(static_cast<onnx::TensorProto::DataType>(got))
            : absl::StrCat("the unknown type ", got)));
  }
  const int dimensions = type.shape().dim_size();
  if (dimensions < 2 || dimensions > kMaxDimensions) {
    return wrong(absl::StrCat("expected a shape of 2 to ", kMaxDimensions,
                              " dimensions, rows first, got ", dimensions));
  }
  const onnx::TensorShapeProto::Dimension& rows = type.shape().dim(0);
  // Some exporters write 0 or -1 for any number.
  if (rows.has_dim_value() && rows.dim_value() > 0) shape.batch = rows.dim_value();
  int64_t features = 1;
  for (int i = 1; i < dimensions; ++i) {
    const int64_t dim = type.shape().dim(i).dim_value();
    if (dim < 1 || dim > kMaxUnits / features) {
      return wrong(absl::StrCat("expected dimensions behind the first that are fixed, at most ",
                                kMaxUnits, " features, got ", dim, " as dimension ", i));
    }
    features *= dim;
    shape.dims.push_back(dim);
  }
  return shape;
}

}  // namespace mlp

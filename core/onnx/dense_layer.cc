#include "core/onnx/dense_layer.h"

#include <cmath>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"

namespace mlp {
namespace {

absl::StatusOr<FloatTensor> ReadTensor(const OnnxNode& node, const onnx::TensorProto& tensor) {
  absl::StatusOr<FloatTensor> values = FloatTensor::Read(tensor);
  if (!values.ok()) return node.Error(values.status().message());
  return values;
}

absl::StatusOr<DenseLayer> ReadWeights(const OnnxNode& node, const DataShape& data,
                                       const onnx::TensorProto* tensor, bool units_first) {
  if (data.uint8) return node.Error("expected FLOAT values, got UINT8: a Cast is missing");
  if (!data.flat()) {
    return node.Error(absl::StrCat("expected rows of one dimension, got ", data.text(),
                                   ": a Flatten is missing"));
  }
  if (tensor == nullptr) return node.Error("expected constant weights as its second input");
  MLP_ASSIGN_OR_RETURN(const FloatTensor weights, ReadTensor(node, *tensor));
  const absl::Span<const int64_t> dims = weights.dims();
  if (dims.size() != 2 || dims[units_first ? 1 : 0] != data.dims[0]) {
    return node.Error(absl::StrCat("weights ", Printable(tensor->name()), ": expected ",
                                   units_first ? "[units, " : "[", data.dims[0],
                                   units_first ? "]" : ", units]", ", got ", weights.shape()));
  }
  const int64_t units = dims[units_first ? 0 : 1];
  if (units > kMaxUnits) {
    return node.Error(absl::StrCat("expected at most ", kMaxUnits, " units, got ", units));
  }
  return DenseLayer{
      .node = node,
      .weights = weights,
      .units_first = units_first,
      .spec = {.units = static_cast<int>(units), .activation = Activation::kIdentity}};
}

float Scaled(float factor, float value) { return factor == 1.0f ? value : factor * value; }

float BiasOf(const DenseLayer& layer, int64_t unit) {
  if (!layer.bias.has_value()) return 0.0f;
  return Scaled(layer.bias_factor, (*layer.bias)[layer.bias->size() == 1 ? 0 : unit]);
}

absl::Status NotFinite(const OnnxNode& node, absl::string_view what, float factor) {
  return node.Error(absl::StrCat(what, " times ", factor, ": expected finite numbers, got others"));
}

}  // namespace

absl::StatusOr<DenseLayer> ReadGemm(const OnnxNode& node, const DataShape& data,
                                    const std::vector<const onnx::TensorProto*>& constants) {
  MLP_RETURN_IF_ERROR(node.CheckAttributes({"alpha", "beta", "transA", "transB"}));
  MLP_ASSIGN_OR_RETURN(const float alpha, node.Float("alpha", 1.0f));
  MLP_ASSIGN_OR_RETURN(const float beta, node.Float("beta", 1.0f));
  MLP_ASSIGN_OR_RETURN(const int64_t transpose_a, node.Int("transA", 0));
  MLP_ASSIGN_OR_RETURN(const int64_t transpose_b, node.Int("transB", 0));
  if (transpose_a != 0) return node.Error("transA: expected rows as they are, got 1");
  if (constants.empty() || constants.size() > 2) {
    return node.Error(absl::StrCat("expected 2 or 3 inputs, got ", constants.size() + 1));
  }
  MLP_ASSIGN_OR_RETURN(DenseLayer layer, ReadWeights(node, data, constants[0], transpose_b != 0));
  layer.weight_factor = alpha;
  if (constants.size() == 2 && constants[1] != nullptr) {
    MLP_RETURN_IF_ERROR(AddBias(node, *constants[1], layer));
    layer.bias_factor = beta;
  }
  return layer;
}

absl::StatusOr<DenseLayer> ReadMatMul(const OnnxNode& node, const DataShape& data,
                                      const std::vector<const onnx::TensorProto*>& constants) {
  MLP_RETURN_IF_ERROR(node.CheckAttributes({}));
  if (constants.size() != 1) {
    return node.Error(absl::StrCat("expected 2 inputs, got ", constants.size() + 1));
  }
  return ReadWeights(node, data, constants[0], /*units_first=*/false);
}

absl::Status AddBias(const OnnxNode& node, const onnx::TensorProto& tensor, DenseLayer& layer) {
  MLP_ASSIGN_OR_RETURN(const FloatTensor bias, ReadTensor(node, tensor));
  const absl::Span<const int64_t> dims = bias.dims();
  const bool fits = dims.size() <= 2 && (dims.size() < 2 || dims[0] == 1) &&
                    (bias.size() == 1 || bias.size() == layer.spec.units);
  if (!fits) {
    return node.Error(absl::StrCat("bias ", Printable(tensor.name()), ": expected [",
                                   layer.spec.units, "], got ", bias.shape()));
  }
  layer.bias = bias;
  return absl::OkStatus();
}

absl::Status CopyLayer(const DenseLayer& layer, int inputs, float* weights, float* biases) {
  const int units = layer.spec.units;
  for (int64_t unit = 0; unit < units; ++unit) {
    for (int64_t j = 0; j < inputs; ++j) {
      const int64_t place = layer.units_first ? unit * inputs + j : j * units + unit;
      const float weight = Scaled(layer.weight_factor, layer.weights[place]);
      if (!std::isfinite(weight)) return NotFinite(layer.node, "weights", layer.weight_factor);
      weights[unit * inputs + j] = weight;
    }
    biases[unit] = BiasOf(layer, unit);
    if (!std::isfinite(biases[unit])) return NotFinite(layer.node, "bias", layer.bias_factor);
  }
  return absl::OkStatus();
}

}  // namespace mlp

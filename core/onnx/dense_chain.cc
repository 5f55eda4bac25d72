#include "core/onnx/dense_chain.h"

#include <utility>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"

namespace mlp {
namespace {

// INVALID_ARGUMENT where the node takes more than what is computed.
absl::Status CheckOneInput(const ChainLink& link) {
  if (link.constants.empty()) return absl::OkStatus();
  return link.node.Error(absl::StrCat("expected 1 input, got ", link.constants.size() + 1));
}

// The constant of a node that computes with it.
absl::StatusOr<FloatTensor> OnlyConstant(const ChainLink& link) {
  if (link.constants.size() != 1 || link.constants[0] == nullptr) {
    return link.node.Error("expected 2 inputs, one of them constant");
  }
  absl::StatusOr<FloatTensor> tensor = FloatTensor::Read(*link.constants[0]);
  if (!tensor.ok()) return link.node.Error(tensor.status().message());
  return tensor;
}

// The attribute of that name of the ai.onnx.ml Scaler, a value for each feature or one for all.
absl::StatusOr<std::vector<double>> ScalerAttribute(const OnnxNode& node, absl::string_view name,
                                                    int64_t features) {
  MLP_ASSIGN_OR_RETURN(const std::vector<float> values, node.Floats(name));
  const auto expected = static_cast<size_t>(features);
  if (values.size() == expected) return std::vector<double>(values.begin(), values.end());
  if (values.size() == 1) return std::vector<double>(expected, values[0]);
  return node.Error(absl::StrCat("attribute ", name, ": expected 1 or ", features, " values, got ",
                                 values.size()));
}

}  // namespace

absl::Status DenseChain::Append(const ChainLink& link) {
  const OnnxNode& node = link.node;
  const std::string& op = node.op();
  if (!node.InDefaultDomain()) {
    if (node.proto().domain() == "ai.onnx.ml" && op == "Scaler") return AppendScaler(link);
    return node.Error(absl::StrCat("operators of the domain ", Printable(node.proto().domain()),
                                   " are not supported"));
  }
  if (op == "Identity") return CheckOneInput(link);
  if (op == "Dropout") return AppendDropout(link);
  if (op == "Flatten") return AppendFlatten(link);
  if (op == "Reshape") return AppendReshape(link);
  if (op == "Cast") return AppendCast(link);
  if (op == "Add") return AppendAdd(link);
  if (op == "Sub") return AppendScaling(link, ScalingSteps::Operation::kSubtract);
  if (op == "Mul") return AppendScaling(link, ScalingSteps::Operation::kMultiply);
  if (op == "Div") return AppendScaling(link, ScalingSteps::Operation::kDivide);
  if (op == "Gemm" || op == "MatMul") {
    if (link.data_input != 0) return node.Error("expected the weights as its second input");
    return AppendLayer(link, op == "Gemm" ? ReadGemm(node, data_, link.constants)
                                          : ReadMatMul(node, data_, link.constants));
  }
  if (op == "Sigmoid") return AppendActivation(link, Activation::kSigmoid);
  if (op == "Tanh") return AppendActivation(link, Activation::kTanh);
  if (op == "Relu") return AppendActivation(link, Activation::kRelu);
  if (op == "Softmax") return AppendSoftmax(link);
  if (op == "GreaterOrEqual") return AppendComparison(link);
  return node.Error("this operator is not supported");
}

absl::Status DenseChain::AppendScaling(const ChainLink& link, ScalingSteps::Operation operation) {
  const OnnxNode& node = link.node;
  MLP_RETURN_IF_ERROR(node.CheckAttributes({}));
  if (state_ != State::kFeatures) {
    return node.Error("expected it before the first layer, where it scales features");
  }
  if (data_.uint8) return node.Error("expected FLOAT values, got UINT8: a Cast is missing");
  const bool commutes =
      operation == ScalingSteps::Operation::kAdd || operation == ScalingSteps::Operation::kMultiply;
  if (!commutes && link.data_input != 0) return node.Error("expected the constant as second input");
  MLP_ASSIGN_OR_RETURN(const FloatTensor tensor, OnlyConstant(link));
  absl::StatusOr<std::vector<double>> values = BroadcastToFeatures(tensor, data_);
  if (!values.ok()) return node.Error(values.status().message());
  const absl::Status applied = scaling_.Apply(operation, *values);
  return applied.ok() ? applied : node.Error(applied.message());
}

// Y = (X - offset) * scale.
absl::Status DenseChain::AppendScaler(const ChainLink& link) {
  const OnnxNode& node = link.node;
  MLP_RETURN_IF_ERROR(node.CheckAttributes({"offset", "scale"}));
  MLP_RETURN_IF_ERROR(CheckOneInput(link));
  if (state_ != State::kFeatures || data_.uint8 || !data_.flat()) {
    return node.Error("expected it before the first layer, on flat rows of FLOAT values");
  }
  MLP_ASSIGN_OR_RETURN(const auto offsets, ScalerAttribute(node, "offset", features_));
  MLP_ASSIGN_OR_RETURN(const auto scales, ScalerAttribute(node, "scale", features_));
  absl::Status applied = scaling_.Apply(ScalingSteps::Operation::kSubtract, offsets);
  applied.Update(scaling_.Apply(ScalingSteps::Operation::kMultiply, scales));
  return applied.ok() ? applied : node.Error(applied.message());
}

absl::Status DenseChain::AppendAdd(const ChainLink& link) {
  if (state_ != State::kSums) return AppendScaling(link, ScalingSteps::Operation::kAdd);
  MLP_RETURN_IF_ERROR(link.node.CheckAttributes({}));
  if (layers_.back().bias.has_value()) {
    return link.node.Error("the layer before it has a bias already");
  }
  if (link.constants.size() != 1 || link.constants[0] == nullptr) {
    return link.node.Error("expected 2 inputs, one of them constant");
  }
  return AddBias(link.node, *link.constants[0], layers_.back());
}

absl::Status DenseChain::AppendLayer(const ChainLink& link, absl::StatusOr<DenseLayer> layer) {
  if (!layer.ok()) return layer.status();
  if (state_ == State::kComparison) return link.node.Error("expected a Cast to FLOAT before it");
  // Otherwise a small file could make a large network.
  for (const DenseLayer& other : layers_) {
    if (other.weights.IsSameAs(layer->weights)) {
      return link.node.Error("expected weights of its own, got those of another layer");
    }
  }
  if (layers_.size() == kMaxLayers) {
    return link.node.Error(absl::StrCat("expected at most ", kMaxLayers, " layers, got more"));
  }
  if (!layers_.empty() && layers_.back().spec.activation == Activation::kSoftmax) {
    return link.node.Error("expected no layer behind a Softmax, which only the last one may have");
  }
  layers_.push_back(*std::move(layer));
  state_ = State::kSums;
  data_.dims = {layers_.back().spec.units};
  return absl::OkStatus();
}

absl::Status DenseChain::AppendActivation(const ChainLink& link, Activation activation) {
  MLP_RETURN_IF_ERROR(CheckOneInput(link));
  if (state_ != State::kSums) {
    return link.node.Error("expected a Gemm or MatMul before it, whose activation it is");
  }
  layers_.back().spec.activation = activation;
  state_ = State::kValues;
  return absl::OkStatus();
}

// Over a row. The default was the second dimension and became the last: here they are the same.
absl::Status DenseChain::AppendSoftmax(const ChainLink& link) {
  MLP_RETURN_IF_ERROR(link.node.CheckAttributes({"axis"}));
  MLP_ASSIGN_OR_RETURN(const int64_t axis, link.node.Int("axis", 1));
  if (axis != 1 && axis != -1) {
    return link.node.Error(absl::StrCat("axis: expected 1 or -1, a row, got ", axis));
  }
  return AppendActivation(link, Activation::kSoftmax);
}

absl::Status DenseChain::AppendComparison(const ChainLink& link) {
  if (state_ != State::kSums || link.data_input != 0) {
    return link.node.Error("expected the sums of a layer to be compared with a constant");
  }
  MLP_ASSIGN_OR_RETURN(const FloatTensor threshold, OnlyConstant(link));
  if (threshold.size() != 1 || threshold.dims().size() > 2) {
    return link.node.Error(absl::StrCat("expected one threshold, got ", threshold.shape()));
  }
  layers_.back().spec.activation = Activation::kStep;
  layers_.back().spec.threshold = threshold[0];
  state_ = State::kComparison;
  return absl::OkStatus();
}

absl::Status DenseChain::AppendCast(const ChainLink& link) {
  MLP_RETURN_IF_ERROR(link.node.CheckAttributes({"to", "saturate"}));
  MLP_RETURN_IF_ERROR(CheckOneInput(link));
  MLP_ASSIGN_OR_RETURN(const int64_t to, link.node.Int("to", onnx::TensorProto::UNDEFINED));
  if (to != onnx::TensorProto::FLOAT) {
    return link.node.Error(absl::StrCat("expected a Cast to FLOAT (1), got ", to));
  }
  data_.uint8 = false;
  if (state_ == State::kComparison) state_ = State::kValues;
  return absl::OkStatus();
}

absl::Status DenseChain::AppendFlatten(const ChainLink& link) {
  MLP_RETURN_IF_ERROR(link.node.CheckAttributes({"axis"}));
  MLP_RETURN_IF_ERROR(CheckOneInput(link));
  MLP_ASSIGN_OR_RETURN(const int64_t axis, link.node.Int("axis", 1));
  if (axis != 1 && axis != -static_cast<int64_t>(data_.dims.size())) {
    return link.node.Error(absl::StrCat("axis: expected 1, which leaves rows apart, got ", axis,
                                        " of ", data_.text()));
  }
  data_.dims = {data_.features()};
  return absl::OkStatus();
}

absl::Status DenseChain::AppendReshape(const ChainLink& link) {
  MLP_RETURN_IF_ERROR(link.node.CheckAttributes({"allowzero"}));
  MLP_ASSIGN_OR_RETURN(const int64_t allow_zero, link.node.Int("allowzero", 0));
  if (link.data_input != 0 || link.constants.size() != 1 || link.constants[0] == nullptr) {
    return link.node.Error("expected a constant shape as its second input");
  }
  constexpr int64_t kMostDimensions = 16;
  const absl::StatusOr<std::vector<int64_t>> shape = ReadInts(*link.constants[0], kMostDimensions);
  if (!shape.ok()) return link.node.Error(shape.status().message());
  const int64_t features = data_.features();
  // -1: what is left over. 0: as before, unless allowzero.
  const auto keeps = [&](int64_t dim) { return dim == 0 && allow_zero == 0; };
  const bool flattens =
      shape->size() == 2 && !((*shape)[0] == -1 && (*shape)[1] == -1) &&
      ((*shape)[0] == -1 || keeps((*shape)[0]) ||
       (data_.batch > 0 && (*shape)[0] == data_.batch)) &&
      ((*shape)[1] == -1 || (*shape)[1] == features || (keeps((*shape)[1]) && data_.flat()));
  if (!flattens) {
    return link.node.Error(absl::StrCat("expected a shape that flattens ", data_.text(), ", [-1, ",
                                        features, "], got another"));
  }
  data_.dims = {features};
  return absl::OkStatus();
}

// Of inputs data, ratio, training_mode: without training it passes on the data.
absl::Status DenseChain::AppendDropout(const ChainLink& link) {
  MLP_RETURN_IF_ERROR(link.node.CheckAttributes({"ratio", "seed"}));
  if (link.data_input != 0 || link.constants.size() > 2) {
    return link.node.Error("expected at most the inputs data, ratio and training_mode");
  }
  if (link.constants.size() < 2 || link.constants[1] == nullptr) return absl::OkStatus();
  const absl::StatusOr<bool> training = ReadBool(*link.constants[1]);
  if (!training.ok()) return link.node.Error(training.status().message());
  return *training ? link.node.Error("training_mode: expected false, got true") : absl::OkStatus();
}

absl::StatusOr<NetworkF> DenseChain::Network() const {
  if (layers_.empty()) {
    return absl::InvalidArgumentError("graph: expected a Gemm or MatMul, got no layer");
  }
  if (state_ == State::kComparison) {
    return absl::InvalidArgumentError("graph: expected a Cast to FLOAT after the GreaterOrEqual");
  }
  NetworkF network;
  network.topology.inputs = static_cast<int>(features_);
  for (const DenseLayer& layer : layers_) network.topology.layers.push_back(layer.spec);
  MLP_RETURN_IF_ERROR(ValidateTopology(network.topology));
  const ParameterLayout layout(network.topology);
  network.parameters.resize(layout.size);
  float* theta = network.parameters.data();
  for (size_t l = 0; l < layers_.size(); ++l) {
    const ParameterLayout::Layer& layer = layout.layers[l];
    MLP_RETURN_IF_ERROR(
        CopyLayer(layers_[l], layer.inputs, theta + layer.weights, theta + layer.biases));
  }
  return network;
}

absl::StatusOr<FeatureScaler> DenseChain::Scaler() const {
  return scaling_.Scaler(static_cast<int>(features_));
}

}  // namespace mlp

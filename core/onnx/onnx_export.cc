// An artifact as an ONNX graph: a chain of nodes from "input" to "output", the weights as
// initializers. onnx_import.cc is the way back.
#include <algorithm>
#include <bit>
#include <cassert>
#include <cstdint>
#include <string>
#include <vector>

#include <absl/strings/str_cat.h>
#include <absl/types/span.h>
#include <onnx/onnx_pb.h>

#include "core/onnx/model_metadata.h"
#include "core/onnx/onnx.h"

namespace mlp {
namespace {

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian");

// What Debian 12's onnx and OpenCV read; GreaterOrEqual needs operator set 12.
constexpr int64_t kIrVersion = 7;
constexpr int64_t kOperatorSet = 13;

constexpr const char* kInput = "input";
constexpr const char* kOutput = "output";

// Appends nodes to a graph, each taking what the last one put out.
class ChainWriter {
 public:
  explicit ChainWriter(onnx::GraphProto& graph) : graph_(graph), value_(kInput) {}

  // The operator's further inputs are initializers. The reference is good until the next call.
  onnx::NodeProto& AddNode(const char* op, const std::string& name,
                           const std::vector<std::string>& initializers = {}) {
    onnx::NodeProto& node = *graph_.add_node();
    node.set_op_type(op);
    node.set_name(name);
    node.add_input(value_);
    for (const std::string& initializer : initializers) node.add_input(initializer);
    value_ = absl::StrCat(name, ".value");
    node.add_output(value_);
    return node;
  }

  void AddInitializer(const std::string& name, std::vector<int64_t> dims, const float* values) {
    onnx::TensorProto& tensor = *graph_.add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(onnx::TensorProto::FLOAT);
    size_t count = 1;
    for (const int64_t dim : dims) {
      tensor.add_dims(dim);
      count *= static_cast<size_t>(dim);
    }
    tensor.set_raw_data(values, count * sizeof(float));
  }

  void NameOutput() {
    graph_.mutable_node(graph_.node_size() - 1)->set_output(0, kOutput);
    value_ = kOutput;
  }

 private:
  onnx::GraphProto& graph_;
  std::string value_;
};

void SetInt(const char* name, int64_t value, onnx::NodeProto& node) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INT);
  attribute.set_i(value);
}

bool AllHaveBitsOf(float value, absl::Span<const float> values) {
  const auto bits = std::bit_cast<uint32_t>(value);
  return std::all_of(values.begin(), values.end(),
                     [bits](float x) { return std::bit_cast<uint32_t>(x) == bits; });
}

// (x - offset) * scale, as FeatureScaler computes it. Only bits decide whether a half of it can
// stay away, so that reading the file finds the same ones.
void WriteScaler(const FeatureScaler& scaler, ChainWriter& chain) {
  const std::vector<int64_t> dims = {scaler.features()};
  if (!AllHaveBitsOf(0.0f, scaler.offsets())) {
    chain.AddInitializer("scaling.offset", dims, scaler.offsets().data());
    chain.AddNode("Sub", "scaling.subtract", {"scaling.offset"});
  }
  if (!AllHaveBitsOf(1.0f, scaler.scales())) {
    chain.AddInitializer("scaling.scale", dims, scaler.scales().data());
    chain.AddNode("Mul", "scaling.multiply", {"scaling.scale"});
  }
}

void WriteActivation(const LayerSpec& spec, const std::string& layer, ChainWriter& chain) {
  const std::string name = layer + ".activation";
  switch (spec.activation) {
    case Activation::kStep:
      // False for NaN, as our step is: Less and Not would not be.
      chain.AddInitializer(layer + ".threshold", {}, &spec.threshold);
      chain.AddNode("GreaterOrEqual", layer + ".compare", {layer + ".threshold"});
      SetInt("to", onnx::TensorProto::FLOAT, chain.AddNode("Cast", name));
      break;
    case Activation::kSigmoid:
      chain.AddNode("Sigmoid", name);
      break;
    case Activation::kTanh:
      chain.AddNode("Tanh", name);
      break;
    case Activation::kRelu:
      chain.AddNode("Relu", name);
      break;
    case Activation::kIdentity:
      break;
    case Activation::kSoftmax:
      SetInt("axis", 1, chain.AddNode("Softmax", name));
      break;
  }
}

void WriteLayers(const NetworkF& network, ChainWriter& chain) {
  const ParameterLayout layout(network.topology);
  const float* theta = network.parameters.data();
  for (size_t l = 0; l < layout.layers.size(); ++l) {
    const ParameterLayout::Layer& layer = layout.layers[l];
    const std::string name = absl::StrCat("layer", l + 1);
    chain.AddInitializer(name + ".weight", {layer.outputs, layer.inputs}, theta + layer.weights);
    chain.AddInitializer(name + ".bias", {layer.outputs}, theta + layer.biases);
    SetInt("transB", 1, chain.AddNode("Gemm", name, {name + ".weight", name + ".bias"}));
    WriteActivation(network.topology.layers[l], name, chain);
  }
}

void DescribeValue(const char* name, int columns, onnx::ValueInfoProto& value) {
  value.set_name(name);
  onnx::TypeProto::Tensor& type = *value.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto::FLOAT);
  type.mutable_shape()->add_dim()->set_dim_param("N");
  type.mutable_shape()->add_dim()->set_dim_value(columns);
}

}  // namespace

std::string WriteOnnx(const Artifact& artifact) {
  const Topology& topology = artifact.network.topology;
  assert(ValidateTopology(topology).ok() && ValidateSchema(artifact.schema).ok());
  assert(artifact.network.parameters.size() == ParameterCount(topology));
  assert(artifact.scaler.features() == topology.inputs);

  onnx::ModelProto model;
  model.set_ir_version(kIrVersion);
  model.set_producer_name("mlpd");
  model.add_opset_import()->set_version(kOperatorSet);
  onnx::GraphProto& graph = *model.mutable_graph();
  graph.set_name(TopologyName(topology));
  DescribeValue(kInput, topology.inputs, *graph.add_input());
  DescribeValue(kOutput, topology.outputs(), *graph.add_output());

  ChainWriter chain(graph);
  WriteScaler(artifact.scaler, chain);
  WriteLayers(artifact.network, chain);
  chain.NameOutput();
  WriteMetadata(artifact, model);
  return model.SerializeAsString();
}

}  // namespace mlp

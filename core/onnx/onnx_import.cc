// An ONNX model as an artifact: the model's frame and metadata here, its graph in graph_reader.
#include <string>

#include <absl/strings/str_cat.h>
#include <onnx/onnx_pb.h>

#include "core/base/status_macros.h"
#include "core/onnx/data_shape.h"
#include "core/onnx/element_limit.h"
#include "core/onnx/graph_reader.h"
#include "core/onnx/model_metadata.h"
#include "core/onnx/onnx.h"
#include "core/onnx/onnx_node.h"

namespace mlp {
namespace {

// Between these, the operators that we take mean the same.
constexpr int64_t kOldestOperatorSet = 7;
constexpr int64_t kNewestOperatorSet = 21;

absl::Status Wrong(absl::string_view what) { return absl::InvalidArgumentError(what); }

// Which operators the nodes mean.
absl::Status CheckOperatorSet(const onnx::ModelProto& model) {
  for (const onnx::FunctionProto& function : model.functions()) {
    if (!IsDefaultDomain(function.domain())) continue;
    return Wrong(absl::StrCat("functions: expected ONNX's own ", Printable(function.name()),
                              ", got a function that replaces it"));
  }
  for (const onnx::OperatorSetIdProto& set : model.opset_import()) {
    if (!IsDefaultDomain(set.domain())) continue;
    if (set.version() >= kOldestOperatorSet && set.version() <= kNewestOperatorSet) {
      return absl::OkStatus();
    }
    return Wrong(absl::StrCat("opset_import: expected version ", kOldestOperatorSet, " to ",
                              kNewestOperatorSet, " of ONNX's operators, got ", set.version()));
  }
  return Wrong("opset_import: expected a version of ONNX's operators, got none");
}

// What is known of the data without our metadata. An image of one channel lies the same way with
// channels first, as other programs have them, and last, as we do; of several it does not.
DatasetSchema SchemaOf(const DataShape& input, const Topology& topology) {
  DatasetSchema schema;
  schema.features = topology.inputs;
  schema.feature_type = input.uint8 ? FeatureType::kUint8 : FeatureType::kFloat32;
  for (int k = 0; k < topology.outputs(); ++k) schema.class_names.push_back(absl::StrCat(k));
  if (input.dims.size() == 3 && input.dims.front() == 1) {
    schema.image = {static_cast<int>(input.dims[1]), static_cast<int>(input.dims[2]), 1};
  } else if (input.dims.size() == 3 && input.dims.back() == 1) {
    schema.image = {static_cast<int>(input.dims[0]), static_cast<int>(input.dims[1]), 1};
  }
  return schema;
}

}  // namespace

absl::StatusOr<Artifact> ReadOnnx(absl::string_view bytes) {
  MLP_RETURN_IF_ERROR(CheckElements(bytes));
  onnx::ModelProto model;
  if (!model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || !model.has_graph()) {
    return Wrong("onnx: expected an ONNX model, got other bytes or part of one");
  }
  MLP_RETURN_IF_ERROR(CheckOperatorSet(model));
  MLP_ASSIGN_OR_RETURN(const GraphNetwork read, ReadGraph(model.graph()));
  Artifact artifact;
  MLP_ASSIGN_OR_RETURN(artifact.network, read.chain.Network());
  MLP_ASSIGN_OR_RETURN(artifact.scaler, read.chain.Scaler());
  const Topology& topology = artifact.network.topology;
  artifact.schema = SchemaOf(read.input, topology);
  artifact.cost = topology.layers.back().activation == Activation::kSigmoid
                      ? CostKind::kSigmoidCrossEntropy
                      : CostKind::kSoftmaxCrossEntropy;
  MLP_RETURN_IF_ERROR(ReadMetadata(model, artifact));
  const absl::Status valid = ValidateSchema(artifact.schema);
  if (valid.ok()) return artifact;
  return Wrong(absl::StrCat("output ", Printable(model.graph().output(0).name()),
                            ", a value for each class: ", valid.message()));
}

}  // namespace mlp

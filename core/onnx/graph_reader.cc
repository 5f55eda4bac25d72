#include "core/onnx/graph_reader.h"

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "core/onnx/onnx_node.h"

namespace mlp {
namespace {

absl::Status Wrong(absl::string_view what) { return absl::InvalidArgumentError(what); }

using Constants = std::unordered_map<std::string, const onnx::TensorProto*>;

// Goes through a graph's nodes in their order, which is one that a chain can be computed in:
// whatever a node takes must be there before it, so nothing can run in a circle.
class GraphReader {
 public:
  explicit GraphReader(const onnx::GraphProto& graph) : graph_(graph) {}

  absl::StatusOr<GraphNetwork> Read() {
    MLP_RETURN_IF_ERROR(ReadInitializers());
    MLP_ASSIGN_OR_RETURN(const onnx::ValueInfoProto* input, FindInput());
    MLP_ASSIGN_OR_RETURN(DataShape shape, ReadDataShape(*input));
    DenseChain chain(shape);
    value_ = input->name();
    MLP_RETURN_IF_ERROR(CheckNewName(value_));
    for (int i = 0; i < graph_.node_size(); ++i) {
      MLP_RETURN_IF_ERROR(ReadNode(OnnxNode(graph_.node(i), i), chain));
    }
    MLP_RETURN_IF_ERROR(CheckOutput());
    return GraphNetwork{std::move(shape), std::move(chain)};
  }

 private:
  absl::Status ReadInitializers() {
    if (graph_.sparse_initializer_size() > 0) return Wrong("sparse initializers are not supported");
    for (const onnx::TensorProto& tensor : graph_.initializer()) {
      MLP_RETURN_IF_ERROR(CheckNewName(tensor.name()));
      constants_[tensor.name()] = &tensor;
    }
    return absl::OkStatus();
  }

  // Old files name initializers among the inputs.
  absl::StatusOr<const onnx::ValueInfoProto*> FindInput() const {
    const onnx::ValueInfoProto* found = nullptr;
    for (const onnx::ValueInfoProto& input : graph_.input()) {
      if (constants_.count(input.name()) > 0) continue;
      if (found != nullptr) {
        return Wrong(absl::StrCat("graph: expected one input, got ", Printable(found->name()),
                                  " and ", Printable(input.name())));
      }
      found = &input;
    }
    if (found == nullptr) return Wrong("graph: expected one input, got none");
    return found;
  }

  absl::Status CheckNewName(const std::string& name) {
    if (name.empty()) return Wrong("graph: expected every value to have a name");
    if (names_.insert(name).second) return absl::OkStatus();
    return Wrong(
        absl::StrCat("graph: expected one value of each name, got two of ", Printable(name)));
  }

  absl::Status ReadNode(const OnnxNode& node, DenseChain& chain) {
    const onnx::NodeProto& proto = node.proto();
    // Dropout may also put out its mask, which then nobody can take.
    if (proto.output_size() != 1 && (node.op() != "Dropout" || proto.output_size() != 2)) {
      return node.Error(absl::StrCat("expected 1 output, got ", proto.output_size()));
    }
    MLP_ASSIGN_OR_RETURN(const onnx::TensorProto* constant, FindConstant(node));
    if (constant != nullptr) {
      MLP_RETURN_IF_ERROR(NameOutputs(node));
      constants_[proto.output(0)] = constant;
      return absl::OkStatus();
    }
    MLP_ASSIGN_OR_RETURN(const ChainLink link, Link(node));
    MLP_RETURN_IF_ERROR(chain.Append(link));
    MLP_RETURN_IF_ERROR(NameOutputs(node));
    value_ = proto.output(0);
    return absl::OkStatus();
  }

  absl::Status NameOutputs(const OnnxNode& node) {
    for (int i = 0; i < node.proto().output_size(); ++i) {
      const std::string& name = node.proto().output(i);
      if (i > 0 && name.empty()) continue;
      const absl::Status is_new = CheckNewName(name);
      if (!is_new.ok()) return node.Error(is_new.message());
    }
    return absl::OkStatus();
  }

  // What a node puts out whatever the input is: null where that is computed.
  absl::StatusOr<const onnx::TensorProto*> FindConstant(const OnnxNode& node) const {
    if (!node.InDefaultDomain()) return nullptr;
    if (node.op() == "Identity" && node.proto().input_size() == 1) {
      const auto constant = constants_.find(node.proto().input(0));
      return constant == constants_.end() ? nullptr : constant->second;
    }
    if (node.op() != "Constant") return nullptr;
    MLP_RETURN_IF_ERROR(node.CheckAttributes({"value"}));
    MLP_ASSIGN_OR_RETURN(const onnx::TensorProto* tensor, node.Tensor("value"));
    if (tensor == nullptr) return node.Error("expected the attribute value, got none");
    return tensor;
  }

  absl::StatusOr<ChainLink> Link(const OnnxNode& node) const {
    ChainLink link{.node = node};
    int data_inputs = 0;
    for (int i = 0; i < node.proto().input_size(); ++i) {
      const std::string& name = node.proto().input(i);
      const auto constant = constants_.find(name);
      if (constant != constants_.end()) {
        link.constants.push_back(constant->second);
      } else if (name == value_) {
        link.data_input = i;
        ++data_inputs;
      } else if (name.empty()) {
        link.constants.push_back(nullptr);
      } else {
        return node.Error(
            absl::StrCat("input ", Printable(name),
                         names_.count(name) > 0
                             ? ": expected a chain without branches, got a value of further back"
                             : ": expected an initializer or the value of a node before it"));
      }
    }
    if (data_inputs == 1) return link;
    return node.Error(absl::StrCat("expected the value of the node before it (", Printable(value_),
                                   ") as one input, got it as ", data_inputs));
  }

  absl::Status CheckOutput() const {
    if (graph_.output_size() != 1) {
      return Wrong(absl::StrCat("graph: expected one output, got ", graph_.output_size()));
    }
    const onnx::ValueInfoProto& output = graph_.output(0);
    if (output.name() != value_) {
      return Wrong(absl::StrCat("output ", Printable(output.name()),
                                ": expected it to be what the last node puts out, ",
                                Printable(value_)));
    }
    return absl::OkStatus();
  }

  const onnx::GraphProto& graph_;
  Constants constants_;
  std::unordered_set<std::string> names_;  // of every value so far
  std::string value_;                      // what the last node of the chain puts out
};

}  // namespace

absl::StatusOr<GraphNetwork> ReadGraph(const onnx::GraphProto& graph) {
  return GraphReader(graph).Read();
}

}  // namespace mlp

// A node of a graph that is read: its name for messages, and its attributes with their types
// checked.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <onnx/onnx_pb.h>

namespace mlp {

// `text` of a file for a message: shortened, and as ASCII whatever its bytes are.
std::string Printable(absl::string_view text);

// Whether operators of `domain` are ONNX's own ones.
inline bool IsDefaultDomain(absl::string_view domain) {
  return domain.empty() || domain == "ai.onnx";
}

// A view of a NodeProto, which outlives it. Immutable; thread-safe.
class OnnxNode {
 public:
  // `index`: its place in the graph, from 0.
  OnnxNode(const onnx::NodeProto& proto, int index) : proto_(proto), index_(index) {}

  const onnx::NodeProto& proto() const { return proto_; }
  const std::string& op() const { return proto_.op_type(); }
  bool InDefaultDomain() const { return IsDefaultDomain(proto_.domain()); }

  // INVALID_ARGUMENT: "node fc1 (Gemm): `what`", or "node[3] (Gemm): `what`" without a name.
  absl::Status Error(absl::string_view what) const;

  // An error where it has attributes other than these, or one twice.
  absl::Status CheckAttributes(std::initializer_list<absl::string_view> known) const;
  // The attribute, or `otherwise` where there is none; an error where its type is another.
  absl::StatusOr<int64_t> Int(absl::string_view name, int64_t otherwise) const;
  absl::StatusOr<float> Float(absl::string_view name, float otherwise) const;
  // Empty where there is none.
  absl::StatusOr<std::vector<float>> Floats(absl::string_view name) const;
  // Null where there is none.
  absl::StatusOr<const onnx::TensorProto*> Tensor(absl::string_view name) const;

 private:
  // Null where there is none.
  absl::StatusOr<const onnx::AttributeProto*> Find(absl::string_view name,
                                                   onnx::AttributeProto::AttributeType type) const;

  const onnx::NodeProto& proto_;
  const int index_;
};

}  // namespace mlp

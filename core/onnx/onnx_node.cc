#include "core/onnx/onnx_node.h"

#include <algorithm>

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"

namespace mlp {

std::string Printable(absl::string_view text) {
  constexpr size_t kLongest = 100;
  if (text.size() <= kLongest) return absl::CHexEscape(text);
  return absl::StrCat(absl::CHexEscape(text.substr(0, kLongest)), "...");
}

absl::Status OnnxNode::Error(absl::string_view what) const {
  const std::string name = proto_.name().empty() ? absl::StrCat("[", index_, "]")
                                                 : absl::StrCat(" ", Printable(proto_.name()));
  return absl::InvalidArgumentError(absl::StrCat("node", name, " (", Printable(op()), "): ", what));
}

absl::Status OnnxNode::CheckAttributes(std::initializer_list<absl::string_view> known) const {
  std::vector<absl::string_view> seen;
  for (const onnx::AttributeProto& attribute : proto_.attribute()) {
    const absl::string_view name = attribute.name();
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return Error(absl::StrCat("attribute ", Printable(name), " is not supported"));
    }
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
      return Error(absl::StrCat("attribute ", name, ": expected it once, got it twice"));
    }
    seen.push_back(name);
  }
  return absl::OkStatus();
}

absl::StatusOr<const onnx::AttributeProto*> OnnxNode::Find(
    absl::string_view name, onnx::AttributeProto::AttributeType type) const {
  for (const onnx::AttributeProto& attribute : proto_.attribute()) {
    if (absl::string_view(attribute.name()) != name) continue;
    if (attribute.type() == type) return &attribute;
    return Error(absl::StrCat("attribute ", name, ": expected the type ",
                              onnx::AttributeProto::AttributeType_Name(type), ", got ",
                              onnx::AttributeProto::AttributeType_Name(attribute.type())));
  }
  return nullptr;
}

absl::StatusOr<int64_t> OnnxNode::Int(absl::string_view name, int64_t otherwise) const {
  MLP_ASSIGN_OR_RETURN(const onnx::AttributeProto* found, Find(name, onnx::AttributeProto::INT));
  return found == nullptr ? otherwise : found->i();
}

absl::StatusOr<float> OnnxNode::Float(absl::string_view name, float otherwise) const {
  MLP_ASSIGN_OR_RETURN(const onnx::AttributeProto* found, Find(name, onnx::AttributeProto::FLOAT));
  return found == nullptr ? otherwise : found->f();
}

absl::StatusOr<std::vector<float>> OnnxNode::Floats(absl::string_view name) const {
  MLP_ASSIGN_OR_RETURN(const onnx::AttributeProto* found, Find(name, onnx::AttributeProto::FLOATS));
  if (found == nullptr) return std::vector<float>();
  return std::vector<float>(found->floats().begin(), found->floats().end());
}

absl::StatusOr<const onnx::TensorProto*> OnnxNode::Tensor(absl::string_view name) const {
  MLP_ASSIGN_OR_RETURN(const onnx::AttributeProto* found, Find(name, onnx::AttributeProto::TENSOR));
  return found == nullptr ? nullptr : &found->t();
}

}  // namespace mlp

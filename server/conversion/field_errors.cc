#include "server/conversion/field_errors.h"

#include <algorithm>
#include <vector>

#include <absl/strings/str_cat.h>

namespace mlp {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// A message that was given with nothing in it asks for nothing.
bool IsEmptyMessage(const Message& message, const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && !field.is_repeated() &&
         message.GetReflection()->GetMessage(message, &field).ByteSizeLong() == 0;
}

}  // namespace

absl::Status UnknownValue(absl::string_view field, absl::string_view expected, int got) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": expected ", expected, ", got ", got));
}

absl::Status RefuseUnusedFields(const Message& message, absl::string_view path,
                                std::initializer_list<int> used, absl::string_view user) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (std::find(used.begin(), used.end(), field->number()) != used.end()) continue;
    if (IsEmptyMessage(message, *field)) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        path, ".", field->name(), ": expected unset, as ", user, " has no use for it"));
  }
  return absl::OkStatus();
}

std::string ExpectedForHiddenLayers(int64_t hidden_layers) {
  if (hidden_layers == 1) return "expected none or 1 entry, as there is one hidden layer";
  return absl::StrCat("expected none, 1 or ", hidden_layers, " entries, one a hidden layer");
}

}  // namespace mlp

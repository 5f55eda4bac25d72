#include "client/commands/json_output.h"

#include <charconv>

#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <google/protobuf/util/json_util.h>
#include <nlohmann/json.hpp>

namespace mlp {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

void NumberFromString(nlohmann::ordered_json& value) {
  int64_t number = 0;
  if (value.is_string() && absl::SimpleAtoi(value.get_ref<const std::string&>(), &number)) {
    value = number;
  }
}

// protobuf writes int64 as strings, for JavaScript's sake.
void NumbersFromStrings(const Descriptor& type, nlohmann::ordered_json& object) {
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const auto found = object.find(field.name());
    if (found == object.end()) continue;
    // Of a map, what its values are.
    const FieldDescriptor& values = field.is_map() ? *field.message_type()->map_value() : field;
    const auto convert = [&values](nlohmann::ordered_json& value) {
      if (values.cpp_type() == FieldDescriptor::CPPTYPE_INT64) NumberFromString(value);
      if (values.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && value.is_object()) {
        NumbersFromStrings(*values.message_type(), value);
      }
    };
    if (field.is_repeated()) {
      for (auto& value : *found) convert(value);
    } else {
      convert(*found);
    }
  }
}

}  // namespace

std::string ToJsonLine(const nlohmann::ordered_json& value) {
  return value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string ToJsonLine(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(message, &text, options).ok()) return "{}";
  auto json = nlohmann::ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return text;
  NumbersFromStrings(*message.GetDescriptor(), json);
  return ToJsonLine(json);
}

double ShortestDouble(float value) {
  char text[32];
  const auto written = std::to_chars(text, text + sizeof(text), value);
  double result = value;
  std::from_chars(text, written.ptr, result);
  return result;
}

}  // namespace mlp

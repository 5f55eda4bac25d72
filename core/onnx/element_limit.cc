#include "core/onnx/element_limit.h"

#include <cstdint>
#include <limits>

#include <absl/strings/str_cat.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>
#include <onnx/onnx_pb.h>

namespace mlp {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormatLite;

// Protobuf's own limit.
constexpr int kMaxDepth = 100;

bool IsFloating(const FieldDescriptor* field) {
  return field != nullptr && (field->cpp_type() == FieldDescriptor::CPPTYPE_FLOAT ||
                              field->cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE);
}

// Walks the wire format by the schema (protobuf.dev/programming-guides/encoding).
class ElementCounter {
 public:
  explicit ElementCounter(absl::string_view bytes)
      : in_(reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<int>(bytes.size())) {}

  int64_t elements() const { return elements_; }

  // False where the bytes are no message of that type, or as soon as there are too many elements.
  bool CountMessage(const Descriptor& type, int depth) {
    while (const uint32_t tag = in_.ReadTag()) {
      const FieldDescriptor* field = type.FindFieldByNumber(WireFormatLite::GetTagFieldNumber(tag));
      if (!CountField(WireFormatLite::GetTagWireType(tag), field, depth)) return false;
      if (elements_ > kMaxElements) return false;
    }
    return in_.ConsumedEntireMessage();
  }

 private:
  bool CountField(WireFormatLite::WireType wire, const FieldDescriptor* field, int depth) {
    uint64_t number;
    uint32_t word;
    switch (wire) {
      case WireFormatLite::WIRETYPE_VARINT:
        ++elements_;
        return in_.ReadVarint64(&number);
      case WireFormatLite::WIRETYPE_FIXED64:
        elements_ += IsFloating(field) ? 0 : 1;
        return in_.ReadLittleEndian64(&number);
      case WireFormatLite::WIRETYPE_FIXED32:
        elements_ += IsFloating(field) ? 0 : 1;
        return in_.ReadLittleEndian32(&word);
      case WireFormatLite::WIRETYPE_LENGTH_DELIMITED:
        return in_.ReadVarint32(&word) && CountBytes(word, field, depth);
      default:  // groups, which the schema has none of
        return false;
    }
  }

  bool CountBytes(uint32_t length, const FieldDescriptor* field, int depth) {
    if (length > static_cast<uint32_t>(std::numeric_limits<int>::max())) return false;
    const int bytes = static_cast<int>(length);
    if (field != nullptr && field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      ++elements_;
      if (depth == kMaxDepth) return false;
      const auto outside = in_.PushLimit(bytes);
      const bool well_formed =
          in_.BytesUntilLimit() == bytes && CountMessage(*field->message_type(), depth + 1);
      in_.PopLimit(outside);
      return well_formed;
    }
    // A list of whole numbers may have one in each byte.
    const bool text = field == nullptr || field->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
    if (text) {
      ++elements_;
    } else if (!IsFloating(field)) {
      elements_ += bytes;
    }
    return in_.Skip(bytes);
  }

  google::protobuf::io::CodedInputStream in_;
  int64_t elements_ = 0;
};

}  // namespace

absl::Status CheckElements(absl::string_view bytes) {
  // Protobuf's own limit.
  if (bytes.size() > static_cast<size_t>(std::numeric_limits<int>::max())) {
    return absl::InvalidArgumentError(
        absl::StrCat("onnx: expected less than 2 GiB, got ", bytes.size(), " bytes"));
  }
  ElementCounter counter(bytes);
  if (counter.CountMessage(*onnx::ModelProto::descriptor(), 0)) return absl::OkStatus();
  if (counter.elements() > kMaxElements) {
    return absl::InvalidArgumentError(
        absl::StrCat("onnx: expected at most ", kMaxElements,
                     " messages, strings and whole numbers, got more; dense networks have few"));
  }
  return absl::InvalidArgumentError("onnx: expected an ONNX model, got other bytes or part of one");
}

}  // namespace mlp

// Protobuf's wire format, for the inference messages that are read and written without the
// generated code.
#pragma once

#include <cstdint>
#include <string>

#include <absl/strings/string_view.h>
#include <google/protobuf/io/coded_stream.h>

namespace mlp {

// A tag: field number and wire type.
constexpr uint32_t VarintTag(uint32_t field) { return field << 3; }
constexpr uint32_t BytesTag(uint32_t field) { return field << 3 | 2; }  // strings, messages, packed
constexpr uint32_t Fixed32Tag(uint32_t field) { return field << 3 | 5; }

// Steps over the field whose tag was just read. False where it does not end within `in`, and for
// groups, which proto3 does not have.
bool SkipField(google::protobuf::io::CodedInputStream& in, uint32_t tag);

void AppendVarint(uint64_t value, std::string& out);
// The field: its tag, its length, its bytes.
void AppendBytes(uint32_t tag, absl::string_view bytes, std::string& out);

}  // namespace mlp

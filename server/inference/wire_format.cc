#include "server/inference/wire_format.h"

namespace mlp {

using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;

bool SkipField(CodedInputStream& in, uint32_t tag) {
  uint64_t ignored = 0;
  int size = 0;
  if (tag >> 3 == 0) return false;  // no field has number 0
  switch (tag & 7) {
    case 0:
      return in.ReadVarint64(&ignored);
    case 1:
      return in.Skip(8);
    case 2:
      return in.ReadVarintSizeAsInt(&size) && in.Skip(size);
    case 5:
      return in.Skip(4);
    default:
      return false;
  }
}

void AppendVarint(uint64_t value, std::string& out) {
  uint8_t bytes[10];
  const uint8_t* end = CodedOutputStream::WriteVarint64ToArray(value, bytes);
  out.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(end - bytes));
}

void AppendBytes(uint32_t tag, absl::string_view bytes, std::string& out) {
  AppendVarint(tag, out);
  AppendVarint(bytes.size(), out);
  out.append(bytes.data(), bytes.size());
}

}  // namespace mlp

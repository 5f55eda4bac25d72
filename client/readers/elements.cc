#include "client/readers/elements.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include <limits>
#include <utility>

namespace mlp {
namespace {

template <typename T, typename Use>
void ForEach(bool big_endian, absl::string_view bytes, Use use) {
  const bool swap = big_endian == (std::endian::native == std::endian::little);
  for (size_t i = 0; i + sizeof(T) <= bytes.size(); i += sizeof(T)) {
    unsigned char raw[sizeof(T)];
    std::memcpy(raw, bytes.data() + i, sizeof(T));
    if (swap) std::reverse(raw, raw + sizeof(T));
    T value;
    std::memcpy(&value, raw, sizeof(T));
    use(value);
  }
}

template <typename Use>
void Decode(ElementFormat format, absl::string_view bytes, Use use) {
  const bool big = format.big_endian;
  switch (format.kind) {
    case ElementKind::kUint8:
      return ForEach<uint8_t>(big, bytes, use);
    case ElementKind::kInt8:
      return ForEach<int8_t>(big, bytes, use);
    case ElementKind::kUint16:
      return ForEach<uint16_t>(big, bytes, use);
    case ElementKind::kInt16:
      return ForEach<int16_t>(big, bytes, use);
    case ElementKind::kUint32:
      return ForEach<uint32_t>(big, bytes, use);
    case ElementKind::kInt32:
      return ForEach<int32_t>(big, bytes, use);
    case ElementKind::kUint64:
      return ForEach<uint64_t>(big, bytes, use);
    case ElementKind::kInt64:
      return ForEach<int64_t>(big, bytes, use);
    case ElementKind::kFloat32:
      return ForEach<float>(big, bytes, use);
    case ElementKind::kFloat64:
      return ForEach<double>(big, bytes, use);
  }
}

}  // namespace

size_t ElementSize(ElementKind kind) {
  switch (kind) {
    case ElementKind::kUint8:
    case ElementKind::kInt8:
      return 1;
    case ElementKind::kUint16:
    case ElementKind::kInt16:
      return 2;
    case ElementKind::kUint32:
    case ElementKind::kInt32:
    case ElementKind::kFloat32:
      return 4;
    case ElementKind::kUint64:
    case ElementKind::kInt64:
    case ElementKind::kFloat64:
      return 8;
  }
  return 1;
}

bool IsInteger(ElementKind kind) {
  return kind != ElementKind::kFloat32 && kind != ElementKind::kFloat64;
}

void DecodeFloats(ElementFormat format, absl::string_view bytes, float* out) {
  Decode(format, bytes, [&out](auto value) { *out++ = static_cast<float>(value); });
}

void DecodeIntegers(ElementFormat format, absl::string_view bytes, std::vector<int64_t>& out) {
  assert(IsInteger(format.kind));
  Decode(format, bytes, [&out](auto value) {
    if constexpr (std::is_integral_v<decltype(value)>) {
      constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
      out.push_back(std::cmp_greater(value, kMax) ? kMax : static_cast<int64_t>(value));
    }
  });
}

}  // namespace mlp

// The number types that IDX and NPY files hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <absl/strings/string_view.h>

namespace mlp {

enum class ElementKind {
  kUint8,
  kInt8,
  kUint16,
  kInt16,
  kUint32,
  kInt32,
  kUint64,
  kInt64,
  kFloat32,
  kFloat64
};

struct ElementFormat {
  ElementKind kind = ElementKind::kUint8;
  bool big_endian = false;
};

size_t ElementSize(ElementKind kind);
bool IsInteger(ElementKind kind);

// The bytes.size() / ElementSize values of `bytes`, each rounded to the nearest float.
void DecodeFloats(ElementFormat format, absl::string_view bytes, float* out);

// Appends the values of an integer kind. Those above INT64_MAX become INT64_MAX.
void DecodeIntegers(ElementFormat format, absl::string_view bytes, std::vector<int64_t>& out);

}  // namespace mlp

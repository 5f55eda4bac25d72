#include "client/readers/npy_header.h"

#include <array>
#include <optional>
#include <string>

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/strip.h>

#include "client/readers/quote.h"
#include "client/status_macros.h"

namespace mlp {
namespace {

constexpr size_t kMaxHeaderBytes = size_t{1} << 20;

void SkipSpace(absl::string_view& text) { text = absl::StripLeadingAsciiWhitespace(text); }

// Consumes a quoted Python string without escapes.
std::optional<std::string> TakeString(absl::string_view& text) {
  SkipSpace(text);
  if (text.empty() || (text[0] != '\'' && text[0] != '"')) return std::nullopt;
  const size_t end = text.find(text[0], 1);
  if (end == absl::string_view::npos) return std::nullopt;
  std::string result(text.substr(1, end - 1));
  text.remove_prefix(end + 1);
  return result;
}

bool TakeSymbol(absl::string_view& text, absl::string_view symbol) {
  SkipSpace(text);
  return absl::ConsumePrefix(&text, symbol);
}

std::optional<std::vector<int64_t>> TakeShape(absl::string_view& text) {
  if (!TakeSymbol(text, "(")) return std::nullopt;
  std::vector<int64_t> shape;
  while (!TakeSymbol(text, ")")) {
    SkipSpace(text);
    size_t digits = 0;
    while (digits < text.size() && absl::ascii_isdigit(static_cast<unsigned char>(text[digits])))
      ++digits;
    int64_t value = 0;
    if (shape.size() == 32 || !absl::SimpleAtoi(text.substr(0, digits), &value))
      return std::nullopt;
    shape.push_back(value);
    text.remove_prefix(digits);
    absl::ConsumePrefix(&text, "L");  // written by Python 2
    if (!TakeSymbol(text, ",")) {
      if (!TakeSymbol(text, ")")) return std::nullopt;
      break;
    }
  }
  return shape;
}

std::optional<ElementFormat> FormatOf(absl::string_view descr) {
  if (descr.size() != 3) return std::nullopt;
  const char order = descr[0];
  const bool one_byte = descr[2] == '1';
  if (order != '<' && order != '>' && !(order == '|' && one_byte)) return std::nullopt;
  constexpr struct {
    const char* name;
    ElementKind kind;
  } kKinds[] = {
      {"u1", ElementKind::kUint8},   {"b1", ElementKind::kUint8},  {"i1", ElementKind::kInt8},
      {"u2", ElementKind::kUint16},  {"i2", ElementKind::kInt16},  {"u4", ElementKind::kUint32},
      {"i4", ElementKind::kInt32},   {"u8", ElementKind::kUint64}, {"i8", ElementKind::kInt64},
      {"f4", ElementKind::kFloat32}, {"f8", ElementKind::kFloat64}};
  for (const auto& kind : kKinds) {
    if (descr.substr(1) == kind.name) return ElementFormat{kind.kind, order == '>'};
  }
  return std::nullopt;
}

absl::Status Unreadable(absl::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat(
      "expected an NPY header with descr, fortran_order and shape, got ", Quote(text)));
}

}  // namespace

absl::StatusOr<ArrayHeader> ParseNpyHeader(absl::string_view text) {
  const absl::string_view whole = text;
  ArrayHeader header;
  bool has_descr = false;
  bool has_order = false;
  bool has_shape = false;
  if (!TakeSymbol(text, "{")) return Unreadable(whole);
  while (!TakeSymbol(text, "}")) {
    const std::optional<std::string> key = TakeString(text);
    if (!key || !TakeSymbol(text, ":")) return Unreadable(whole);
    if (*key == "descr") {
      if (TakeSymbol(text, "[")) {
        return absl::InvalidArgumentError(
            "expected an array of plain numbers, got one of structures");
      }
      const std::optional<std::string> descr = TakeString(text);
      if (!descr) return Unreadable(whole);
      const std::optional<ElementFormat> format = FormatOf(*descr);
      if (!format) {
        return absl::InvalidArgumentError(absl::StrCat(
            "expected the type u1, u2, u4, u8, i1, i2, i4, i8, b1, f4 or f8, got ", Quote(*descr)));
      }
      header.format = *format;
      has_descr = true;
    } else if (*key == "fortran_order") {
      if (TakeSymbol(text, "True")) {
        return absl::InvalidArgumentError(
            "expected rows one after the other (C order), got Fortran order; save it with "
            "numpy.ascontiguousarray");
      }
      if (!TakeSymbol(text, "False")) return Unreadable(whole);
      has_order = true;
    } else if (*key == "shape") {
      std::optional<std::vector<int64_t>> shape = TakeShape(text);
      if (!shape) return Unreadable(whole);
      header.shape = *std::move(shape);
      has_shape = true;
    } else {
      return Unreadable(whole);
    }
    if (!TakeSymbol(text, ",")) {
      if (!TakeSymbol(text, "}")) return Unreadable(whole);
      break;
    }
  }
  if (!has_descr || !has_order || !has_shape) return Unreadable(whole);
  return header;
}

absl::StatusOr<ArrayHeader> ReadNpyHeader(ByteStream& stream) {
  std::array<unsigned char, 8> start;
  MLP_RETURN_IF_ERROR(stream.ReadExactly(start.size(), reinterpret_cast<char*>(start.data())));
  const absl::string_view magic(reinterpret_cast<const char*>(start.data()), kNpyMagic.size());
  if (magic != kNpyMagic) {
    return absl::InvalidArgumentError(absl::StrCat(
        stream.path(), ": expected an NPY file, which begins with \\x93NUMPY, got ", Quote(magic)));
  }
  const int version = start[6];
  if (version < 1 || version > 3) {
    return absl::InvalidArgumentError(
        absl::StrCat(stream.path(), ": expected NPY version 1 to 3, got ", version));
  }
  const size_t length_bytes = version == 1 ? 2 : 4;
  std::array<unsigned char, 4> raw = {0, 0, 0, 0};
  MLP_RETURN_IF_ERROR(stream.ReadExactly(length_bytes, reinterpret_cast<char*>(raw.data())));
  const size_t length = raw[0] | size_t{raw[1]} << 8 | size_t{raw[2]} << 16 | size_t{raw[3]} << 24;
  if (length > kMaxHeaderBytes) {
    return absl::InvalidArgumentError(absl::StrCat(stream.path(), ": expected a header of at most ",
                                                   kMaxHeaderBytes, " bytes, got ", length));
  }
  std::string text(length, '\0');
  MLP_RETURN_IF_ERROR(stream.ReadExactly(length, text.data()));
  absl::StatusOr<ArrayHeader> header = ParseNpyHeader(text);
  if (!header.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(stream.path(), ": ", header.status().message()));
  }
  header->data_offset = static_cast<int64_t>(start.size() + length_bytes + length);
  return header;
}

}  // namespace mlp

#include "client/readers/idx_reader.h"

#include <array>
#include <optional>
#include <utility>

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include "client/readers/array_source.h"
#include "client/status_macros.h"

namespace mlp {
namespace {

std::optional<ElementKind> KindOf(unsigned char type) {
  switch (type) {
    case 0x08:
      return ElementKind::kUint8;
    case 0x09:
      return ElementKind::kInt8;
    case 0x0B:
      return ElementKind::kInt16;
    case 0x0C:
      return ElementKind::kInt32;
    case 0x0D:
      return ElementKind::kFloat32;
    case 0x0E:
      return ElementKind::kFloat64;
    default:
      return std::nullopt;
  }
}

// Magic: two zero bytes, the type, the number of dimensions; then each dimension, big-endian.
absl::StatusOr<ArrayHeader> ReadHeader(ByteStream& stream) {
  std::array<char, 4> magic;
  MLP_RETURN_IF_ERROR(stream.ReadExactly(magic.size(), magic.data()));
  const auto dimensions = static_cast<unsigned char>(magic[3]);
  const std::optional<ElementKind> kind = KindOf(static_cast<unsigned char>(magic[2]));
  if (magic[0] != 0 || magic[1] != 0 || !kind || dimensions < 1 || dimensions > 4) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "%s: expected an IDX file, which begins with 00 00, a type (08, 09, 0b, 0c, 0d, 0e) and 01 "
        "to 04 dimensions, got %02x %02x %02x %02x",
        stream.path(), static_cast<unsigned char>(magic[0]), static_cast<unsigned char>(magic[1]),
        static_cast<unsigned char>(magic[2]), dimensions));
  }
  ArrayHeader header;
  header.format = {*kind, /*big_endian=*/true};
  for (int i = 0; i < dimensions; ++i) {
    std::array<unsigned char, 4> bytes;
    MLP_RETURN_IF_ERROR(stream.ReadExactly(bytes.size(), reinterpret_cast<char*>(bytes.data())));
    header.shape.push_back(int64_t{bytes[0]} << 24 | int64_t{bytes[1]} << 16 |
                           int64_t{bytes[2]} << 8 | int64_t{bytes[3]});
  }
  header.data_offset = 4 + 4 * int64_t{dimensions};
  return header;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ExampleSource>> OpenIdx(const IdxOptions& options) {
  MLP_ASSIGN_OR_RETURN(ByteStream images, ByteStream::Open(options.images));
  MLP_ASSIGN_OR_RETURN(const ArrayHeader image_header, ReadHeader(images));
  MLP_RETURN_IF_ERROR(CheckExampleArray(image_header, images));
  MLP_ASSIGN_OR_RETURN(ByteStream labels, ByteStream::Open(options.labels));
  MLP_ASSIGN_OR_RETURN(const ArrayHeader label_header, ReadHeader(labels));
  MLP_ASSIGN_OR_RETURN(
      ClassLabels classes,
      ReadLabelArray(label_header, labels, image_header.shape[0], options.images, options.classes));
  return MakeArraySource(image_header, std::move(images), std::move(classes));
}

}  // namespace mlp

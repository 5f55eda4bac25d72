// The part of client/readers/grey_image.h that needs libpng.

#include <array>
#include <cstring>
#include <utility>

#include <absl/strings/str_cat.h>
#include <png.h>

#include "client/readers/byte_stream.h"
#include "client/readers/grey_image.h"
#include "client/status_macros.h"

namespace mlp {
namespace {

constexpr int64_t kMaxPixels = int64_t{1} << 28;
constexpr size_t kMaxFileBytes = size_t{1} << 30;
constexpr absl::string_view kPngMagic("\x89PNG\r\n\x1a\n", 8);

// Frees what libpng allocated, on every path.
struct PngImage {
  PngImage() {
    std::memset(&image, 0, sizeof(image));
    image.version = PNG_IMAGE_VERSION;
  }
  ~PngImage() { png_image_free(&image); }
  PngImage(const PngImage&) = delete;
  PngImage& operator=(const PngImage&) = delete;

  png_image image;
};

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  MLP_ASSIGN_OR_RETURN(ByteStream stream, ByteStream::Open(path));
  std::string bytes;
  while (bytes.size() < kMaxFileBytes) {
    const size_t before = bytes.size();
    bytes.resize(before + (size_t{1} << 16));
    MLP_ASSIGN_OR_RETURN(const size_t got,
                         stream.ReadSome(bytes.size() - before, bytes.data() + before));
    bytes.resize(before + got);
    if (got == 0) return bytes;
  }
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": expected at most ", kMaxFileBytes, " bytes, got more"));
}

absl::Status Damaged(const std::string& path, const png_image& image) {
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": the PNG is damaged or cut off (", image.message, ")"));
}

// Lays pairs of grey and alpha over white where the drawn parts are dark, over black where light.
std::vector<uint8_t> Flatten(const std::vector<uint8_t>& grey_alpha) {
  uint64_t weight = 0;
  uint64_t light = 0;
  for (size_t i = 0; i < grey_alpha.size(); i += 2) {
    weight += grey_alpha[i + 1];
    light += uint64_t{grey_alpha[i]} * grey_alpha[i + 1];
  }
  const unsigned ground = light < 128 * weight ? 255 : 0;
  std::vector<uint8_t> grey(grey_alpha.size() / 2);
  for (size_t i = 0; i < grey.size(); ++i) {
    const unsigned alpha = grey_alpha[2 * i + 1];
    grey[i] =
        static_cast<uint8_t>((grey_alpha[2 * i] * alpha + ground * (255 - alpha) + 127) / 255);
  }
  return grey;
}

}  // namespace

absl::StatusOr<GreyImage> ReadPng(const std::string& path) {
  MLP_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  if (absl::string_view(bytes).substr(0, kPngMagic.size()) != kPngMagic) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": expected a PNG file, got something else"));
  }
  PngImage png;
  png_image& image = png.image;
  if (!png_image_begin_read_from_memory(&image, bytes.data(), bytes.size())) {
    return Damaged(path, image);
  }
  const int64_t pixels = int64_t{image.width} * int64_t{image.height};
  if (pixels > kMaxPixels) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": expected at most ", kMaxPixels,
                                                   " pixels, got ", image.width, " x ",
                                                   image.height));
  }
  // Without a gamma of its own a 16-bit file is meant as an 8-bit one is, not as linear light.
  image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  const bool alpha = (image.format & PNG_FORMAT_FLAG_ALPHA) != 0;
  image.format = alpha ? PNG_FORMAT_GA : PNG_FORMAT_GRAY;
  std::vector<uint8_t> values(static_cast<size_t>(pixels) * (alpha ? 2 : 1));
  if (!png_image_finish_read(&image, nullptr, values.data(), 0, nullptr))
    return Damaged(path, image);
  return GreyImage{static_cast<int>(image.width), static_cast<int>(image.height),
                   alpha ? Flatten(values) : std::move(values)};
}

}  // namespace mlp

// Grey images: read from PNG files and brought to the size and polarity that a model expects.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

namespace mlp {

// pixels [height x width] row-major, 0 is black.
struct GreyImage {
  int width = 0;
  int height = 0;
  std::vector<uint8_t> pixels;

  uint8_t at(int x, int y) const {
    return pixels[static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)];
  }
};

// Any PNG: grey, palette or colour (turned grey by luminance), 1 to 16 bits a channel. Transparent
// parts show a white ground where what is drawn is dark, a black one where it is light. NOT_FOUND
// and the like where the file cannot be read; INVALID_ARGUMENT naming the file where it is no PNG,
// is damaged or cut off, or has more than 2^28 pixels.
absl::StatusOr<GreyImage> ReadPng(const std::string& path);

// White for black.
GreyImage Invert(const GreyImage& image);

// Whether the outermost pixels are lighter on average than the middle half: dark strokes on a light
// ground.
bool HasLightGround(const GreyImage& image);

// `image` scaled by area averaging to fit width x height, its aspect ratio kept, centred; what is
// left over is filled with the mean of the outermost pixels. An image that has the size already
// comes back as it is. Requires positive sizes.
GreyImage Fit(const GreyImage& image, int width, int height);

}  // namespace mlp

#include "client/readers/grey_image.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace mlp {
namespace {

double BorderMean(const GreyImage& image) {
  double sum = 0;
  int64_t count = 0;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      if (x > 0 && y > 0 && x < image.width - 1 && y < image.height - 1) {
        x = image.width - 2;  // an inner pixel: on to the last one of the row
        continue;
      }
      sum += image.at(x, y);
      ++count;
    }
  }
  return sum / static_cast<double>(count);
}

double MiddleMean(const GreyImage& image) {
  double sum = 0;
  int64_t count = 0;
  for (int y = image.height / 4; y < image.height - image.height / 4; ++y) {
    for (int x = image.width / 4; x < image.width - image.width / 4; ++x) {
      sum += image.at(x, y);
      ++count;
    }
  }
  return sum / static_cast<double>(count);
}

// How much of source pixel i lies within [from, to).
double Overlap(int i, double from, double to) {
  return std::min<double>(i + 1, to) - std::max<double>(i, from);
}

// The mean of `image` over the rectangle, in source pixels.
double AreaMean(const GreyImage& image, double left, double top, double right, double bottom) {
  double sum = 0;
  double area = 0;
  const int last_y = std::min(image.height, static_cast<int>(std::ceil(bottom)));
  const int last_x = std::min(image.width, static_cast<int>(std::ceil(right)));
  for (int y = static_cast<int>(top); y < last_y; ++y) {
    const double height = Overlap(y, top, bottom);
    for (int x = static_cast<int>(left); x < last_x; ++x) {
      const double weight = height * Overlap(x, left, right);
      sum += weight * image.at(x, y);
      area += weight;
    }
  }
  return sum / area;
}

}  // namespace

GreyImage Invert(const GreyImage& image) {
  GreyImage result = image;
  for (uint8_t& pixel : result.pixels) pixel = static_cast<uint8_t>(255 - pixel);
  return result;
}

bool HasLightGround(const GreyImage& image) { return BorderMean(image) > MiddleMean(image); }

GreyImage Fit(const GreyImage& image, int width, int height) {
  assert(width > 0 && height > 0 && image.width > 0 && image.height > 0);
  if (image.width == width && image.height == height) return image;
  const double scale = std::min(static_cast<double>(width) / image.width,
                                static_cast<double>(height) / image.height);
  const int inner_width = std::clamp(static_cast<int>(std::lround(image.width * scale)), 1, width);
  const int inner_height =
      std::clamp(static_cast<int>(std::lround(image.height * scale)), 1, height);
  const int left = (width - inner_width) / 2;
  const int top = (height - inner_height) / 2;
  const double step_x = static_cast<double>(image.width) / inner_width;
  const double step_y = static_cast<double>(image.height) / inner_height;

  GreyImage result{width, height, {}};
  const auto ground = static_cast<uint8_t>(std::lround(BorderMean(image)));
  result.pixels.assign(static_cast<size_t>(width) * static_cast<size_t>(height), ground);
  for (int y = 0; y < inner_height; ++y) {
    for (int x = 0; x < inner_width; ++x) {
      const double mean =
          AreaMean(image, x * step_x, y * step_y, (x + 1) * step_x, (y + 1) * step_y);
      const size_t index =
          static_cast<size_t>(top + y) * static_cast<size_t>(width) + static_cast<size_t>(left + x);
      result.pixels[index] = static_cast<uint8_t>(std::lround(mean));
    }
  }
  return result;
}

}  // namespace mlp

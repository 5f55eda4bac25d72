#include "client/terminal/picture.h"

#include <algorithm>
#include <cassert>

#include <absl/strings/string_view.h>

namespace mlp {
namespace {

// Below the middle, so that the thin grey edge of a stroke still shows.
constexpr int kLight = 100;
constexpr absl::string_view kShades = " .:-=+*#%@";

const char* HalfBlock(bool upper, bool lower) {
  if (upper) return lower ? "█" : "▀";
  return lower ? "▄" : " ";
}

}  // namespace

std::vector<std::string> DrawPicture(absl::Span<const uint8_t> pixels, int width, int height,
                                     const TerminalStyle& style, int max_width) {
  assert(pixels.size() == static_cast<size_t>(width) * static_cast<size_t>(height));
  const int step = (width + max_width - 1) / max_width;
  const auto at = [&](int x, int y) -> int {
    return y < height ? pixels[static_cast<size_t>(y) * static_cast<size_t>(width) +
                               static_cast<size_t>(x)]
                      : 0;
  };
  std::vector<std::string> lines;
  for (int y = 0; y < height; y += 2 * step) {
    std::string line;
    for (int x = 0; x < width; x += step) {
      const int upper = at(x, y);
      const int lower = at(x, y + step);
      if (style.utf8) {
        line += HalfBlock(upper > kLight, lower > kLight);
      } else {
        line += kShades[static_cast<size_t>((upper + lower) / 2 * 9 / 255)];
      }
    }
    lines.push_back(line);
  }
  return lines;
}

}  // namespace mlp

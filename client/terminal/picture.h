// A grey picture in text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <absl/types/span.h>

#include "client/terminal/style.h"

namespace mlp {

// pixels [height x width] row-major, 0 dark to 255 light; two rows of pixels to a line, since a
// character is about twice as high as wide. With UTF-8 half blocks where a pixel is lighter than
// the middle, otherwise ten shades from space to @. Pictures wider than max_width are thinned.
// Every line has the same width.
std::vector<std::string> DrawPicture(absl::Span<const uint8_t> pixels, int width, int height,
                                     const TerminalStyle& style, int max_width = 64);

}  // namespace mlp

#include "client/terminal/canvas.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <absl/strings/str_cat.h>

namespace mlp {

Canvas::Canvas(int columns, int rows, const TerminalStyle& style)
    : braille_(style.utf8),
      dots_x_(columns * (style.utf8 ? 2 : 1)),
      dots_y_(rows * (style.utf8 ? 4 : 1)),
      columns_(columns),
      rows_(rows),
      set_(static_cast<size_t>(dots_x_) * static_cast<size_t>(dots_y_), 0) {}

void Canvas::Line(int x0, int y0, int x1, int y1, int step) {
  const int steps = std::max({std::abs(x1 - x0), std::abs(y1 - y0), 1});
  for (int i = 0; i <= steps; i += step) {
    const double t = static_cast<double>(i) / steps;
    Set(static_cast<int>(std::lround(x0 + t * (x1 - x0))),
        static_cast<int>(std::lround(y0 + t * (y1 - y0))));
  }
}

std::string Canvas::Row(int row) const {
  std::string line;
  for (int column = 0; column < columns_; ++column) {
    absl::StrAppend(
        &line, braille_ ? Braille(column, row) : std::string(set_[Index(column, row)] ? "*" : " "));
  }
  return line;
}

// Unicode's braille patterns: U+2800 plus one bit a dot.
std::string Canvas::Braille(int column, int row) const {
  constexpr unsigned kBits[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
  unsigned bits = 0;
  for (int y = 0; y < 4; ++y) {
    for (int x = 0; x < 2; ++x) {
      if (set_[Index(2 * column + x, 4 * row + y)]) bits |= kBits[y][x];
    }
  }
  if (bits == 0) return " ";
  return {static_cast<char>(0xE2), static_cast<char>(0xA0 | bits >> 6),
          static_cast<char>(0x80 | (bits & 0x3F))};
}

}  // namespace mlp

// A grid of dots to draw lines in, for plots in text.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "client/terminal/style.h"

namespace mlp {

// Several dots to a character: 2 x 4 in braille, with UTF-8, or one, an asterisk. Dots outside are
// the caller's error. Thread-compatible.
class Canvas {
 public:
  // Columns and rows of characters, at least 1 of each.
  Canvas(int columns, int rows, const TerminalStyle& style);

  int dots_x() const { return dots_x_; }
  int dots_y() const { return dots_y_; }
  int rows() const { return rows_; }

  // y counts from the top.
  void Set(int x, int y) { set_[Index(x, y)] = 1; }

  // The dots between two points, the points included; every `step`-th of them.
  void Line(int x0, int y0, int x1, int y1, int step = 1);

  // A line of characters, of `columns` columns.
  std::string Row(int row) const;

 private:
  size_t Index(int x, int y) const {
    return static_cast<size_t>(y) * static_cast<size_t>(dots_x_) + static_cast<size_t>(x);
  }
  std::string Braille(int column, int row) const;

  const bool braille_;
  const int dots_x_;
  const int dots_y_;
  const int columns_;
  const int rows_;
  std::vector<char> set_;
};

}  // namespace mlp

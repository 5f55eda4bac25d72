#include "client/terminal/unit_plot.h"

#include <algorithm>
#include <cmath>

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>

#include "client/terminal/canvas.h"
#include "client/terminal/table.h"

namespace mlp {
namespace {

// Dots of a dotted line are this far apart.
constexpr int kDotted = 3;

int Dot(double share, int dots) {
  return static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * (dots - 1)));
}

void Draw(absl::Span<const UnitPoint> points, Canvas& canvas) {
  for (size_t i = 0; i < points.size(); ++i) {
    const UnitPoint& from = points[i == 0 ? 0 : i - 1];
    canvas.Line(Dot(from.x, canvas.dots_x()), Dot(1 - from.y, canvas.dots_y()),
                Dot(points[i].x, canvas.dots_x()), Dot(1 - points[i].y, canvas.dots_y()));
  }
}

}  // namespace

std::vector<std::string> RenderUnitPlot(absl::Span<const UnitPoint> points,
                                        const UnitPlotOptions& options,
                                        const TerminalStyle& style) {
  Canvas canvas(std::max(options.columns, 1), std::max(options.rows, 1), style);
  if (options.diagonal) canvas.Line(0, canvas.dots_y() - 1, canvas.dots_x() - 1, 0, kDotted);
  Draw(points, canvas);

  std::vector<std::string> lines = {options.title};
  for (int row = 0; row < canvas.rows(); ++row) {
    const char* label = row == 0 ? "1" : row == canvas.rows() - 1 ? "0" : " ";
    const std::string line = absl::StrCat(label, style.utf8 ? " │" : " |", canvas.Row(row));
    lines.emplace_back(absl::StripTrailingAsciiWhitespace(line));
  }
  std::string axis = style.utf8 ? "  └" : "  +";
  for (int i = 0; i < options.columns; ++i) axis += style.utf8 ? "─" : "-";
  lines.push_back(axis);
  const auto room = static_cast<size_t>(std::max(options.columns - 2, 0));
  const size_t used = DisplayWidth(options.x_name);
  const size_t left = used < room ? (room - used) / 2 : 0;
  lines.push_back(absl::StrCat(
      "   0", PadRight(absl::StrCat(std::string(left, ' '), options.x_name), room), "1"));
  return lines;
}

}  // namespace mlp

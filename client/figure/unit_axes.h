// Axes of shares over shares, 0 to 1 both ways, and what is drawn in them.
#pragma once

#include <string>
#include <vector>

#include <absl/types/span.h>

#include "client/figure/drawing.h"
#include "client/terminal/unit_plot.h"

namespace mlp {

struct AxesText {
  std::string title = {};
  std::string x_name = {};
  std::string y_name = {};
};

struct LegendEntry {
  std::string name;
  Color color;
};

// Thread-compatible.
class UnitAxes {
 public:
  // Draws grid, frame and texts around `box`, which is the square itself: the texts need 40 points
  // left of it, 30 above and 40 below. `drawing` outlives it.
  UnitAxes(Drawing& drawing, const PageBox& box, const AxesText& text);

  PagePoint At(const UnitPoint& point) const;

  void Curve(absl::Span<const UnitPoint> points, const Stroke& stroke);
  void Diagonal();
  // From the x axis up to `height`, between `from` and `to`.
  void Bar(double from, double to, double height, const Color& color);
  // In the lower corner of the square, left or right.
  void Legend(const std::string& title, absl::Span<const LegendEntry> entries, bool right);

 private:
  Drawing& drawing_;
  const PageBox box_;
};

// A panel's title, centred above `box`.
void DrawTitle(Drawing& drawing, const PageBox& box, const std::string& title);

}  // namespace mlp

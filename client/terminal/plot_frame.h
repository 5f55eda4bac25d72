// What stands around a plot: its title, axes and labels.
#pragma once

#include <string>

#include "client/terminal/canvas.h"
#include "client/terminal/scale.h"
#include "client/terminal/style.h"

namespace mlp {

struct PlotFrame {
  // Written above, with "(log scale)" behind it where `y` is logarithmic, and then the legend.
  std::string title;
  std::string legend = {};
  // Its ends are written at the left.
  Scale y;
  // Written below, at the left and at the right end.
  std::string first_x;
  std::string last_x;
};

// `canvas` within `frame`. Lines end with \n, without spaces before it.
std::string RenderFrame(const Canvas& canvas, const PlotFrame& frame, const TerminalStyle& style);

}  // namespace mlp

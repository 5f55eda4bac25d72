// A plot of the unit square in text: curves of shares over shares.
#pragma once

#include <string>
#include <vector>

#include <absl/types/span.h>

#include "client/terminal/style.h"

namespace mlp {

struct UnitPoint {
  double x = 0;
  double y = 0;
};

struct UnitPlotOptions {
  // Of the plot area, without the axes and their labels.
  int columns = 30;
  int rows = 8;
  // Written above.
  std::string title = {};
  // Written below.
  std::string x_name = {};
  // Dots the line y = x.
  bool diagonal = false;
};

// The points, each limited to [0, 1] x [0, 1], joined by a line in their order: braille dots with
// UTF-8, asterisks without. A line a string, without \n.
std::vector<std::string> RenderUnitPlot(absl::Span<const UnitPoint> points,
                                        const UnitPlotOptions& options, const TerminalStyle& style);

}  // namespace mlp

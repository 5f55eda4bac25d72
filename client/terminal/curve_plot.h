// Several curves over one axis, in text.
#pragma once

#include <string>
#include <vector>

#include <absl/types/span.h>

#include "client/terminal/style.h"

namespace mlp {

struct CurvePoint {
  double x = 0;
  double y = 0;
};

struct Curve {
  std::string name;
  // Stands at each point, and before the name in the legend; ASCII.
  char mark = '*';
  // By rising x.
  std::vector<CurvePoint> points;
};

struct CurvePlotOptions {
  // Of the plot area, without the axes and their labels.
  int columns = 60;
  int rows = 12;
  std::string title = {};
  std::string x_name = {};
  // x is at least 0; a 0 stands half a decade left of the smallest x above it.
  bool logarithmic_x = false;
};

// The curves, each a line through its points, and a legend. y is logarithmic as RenderPlot has it.
// Where points share a character, the mark of the last curve is seen. Points that are not finite
// are left out; empty where no two different x remain. Lines end with \n.
std::string RenderCurves(absl::Span<const Curve> curves, const CurvePlotOptions& options,
                         const TerminalStyle& style);

}  // namespace mlp

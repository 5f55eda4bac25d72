// A small line plot in text.
#pragma once

#include <string>

#include <absl/strings/string_view.h>
#include <absl/types/span.h>

#include "client/terminal/style.h"

namespace mlp {

struct PlotOptions {
  // Of the plot area, without the axis and its labels.
  int columns = 60;
  int rows = 10;
  // Written above, with "(log scale)" behind it where the scale is.
  std::string title = {};
  // What the values are counted by, written below; the first value has this number.
  std::string x_name = {};
  int first_x = 0;
};

// The values, joined by a line, over their index: braille dots with UTF-8, asterisks without. The
// scale is logarithmic where the values are positive and the largest is at least ten times the
// smallest. Values that are not finite are left out; empty where fewer than two remain. Lines end
// with \n. `dotted` are values to compare with, on the same scale, as separate dots; their index
// counts as that of `values`, and they may be fewer.
std::string RenderPlot(absl::Span<const double> values, const PlotOptions& options,
                       const TerminalStyle& style, absl::Span<const double> dotted = {});

}  // namespace mlp

#include "client/terminal/plot.h"

#include <algorithm>
#include <cmath>

#include <absl/strings/str_cat.h>

#include "client/terminal/canvas.h"
#include "client/terminal/plot_frame.h"
#include "client/terminal/scale.h"

namespace mlp {
namespace {

void Draw(absl::Span<const double> values, const Scale& scale, Canvas& canvas) {
  bool has_last = false;
  int last_x = 0;
  int last_y = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      has_last = false;
      continue;
    }
    const double along = static_cast<double>(i) / static_cast<double>(values.size() - 1);
    const int x = static_cast<int>(std::lround(along * (canvas.dots_x() - 1)));
    const int y = static_cast<int>(std::lround((1 - scale.At(values[i])) * (canvas.dots_y() - 1)));
    if (has_last) {
      canvas.Line(last_x, last_y, x, y);
    } else {
      canvas.Set(x, y);
    }
    has_last = true;
    last_x = x;
    last_y = y;
  }
}

}  // namespace

std::string RenderPlot(absl::Span<const double> values, const PlotOptions& options,
                       const TerminalStyle& style) {
  const auto finite = std::count_if(values.begin(), values.end(),
                                    [](double value) { return std::isfinite(value); });
  if (finite < 2 || options.columns < 1 || options.rows < 1) return "";
  const Scale scale = ScaleOf(values);
  Canvas canvas(options.columns, options.rows, style);
  Draw(values, scale, canvas);

  const int last_x = options.first_x + static_cast<int>(values.size()) - 1;
  return RenderFrame(canvas,
                     {.title = options.title,
                      .y = scale,
                      .first_x = absl::StrCat(options.first_x),
                      .last_x = absl::StrCat(options.x_name, " ", last_x)},
                     style);
}

}  // namespace mlp

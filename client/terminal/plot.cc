#include "client/terminal/plot.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <absl/strings/str_cat.h>

#include "client/terminal/canvas.h"
#include "client/terminal/plot_frame.h"
#include "client/terminal/scale.h"

namespace mlp {
namespace {

Scale ScaleOfBoth(absl::Span<const double> values, absl::Span<const double> dotted) {
  std::vector<double> all(values.begin(), values.end());
  all.insert(all.end(), dotted.begin(), dotted.end());
  return ScaleOf(all);
}

int DotX(size_t index, size_t count, const Canvas& canvas) {
  const double along = static_cast<double>(index) / static_cast<double>(count - 1);
  return static_cast<int>(std::lround(along * (canvas.dots_x() - 1)));
}

int DotY(double value, const Scale& scale, const Canvas& canvas) {
  return static_cast<int>(std::lround((1 - scale.At(value)) * (canvas.dots_y() - 1)));
}

// As separate dots, at least three dots apart.
void DrawDots(absl::Span<const double> values, size_t count, const Scale& scale, Canvas& canvas) {
  const size_t step = std::max<size_t>(1, 3 * count / static_cast<size_t>(canvas.dots_x()));
  for (size_t i = 0; i < std::min(values.size(), count); i += step) {
    if (std::isfinite(values[i])) {
      canvas.Set(DotX(i, count, canvas), DotY(values[i], scale, canvas));
    }
  }
}

void Draw(absl::Span<const double> values, const Scale& scale, Canvas& canvas) {
  bool has_last = false;
  int last_x = 0;
  int last_y = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      has_last = false;
      continue;
    }
    const int x = DotX(i, values.size(), canvas);
    const int y = DotY(values[i], scale, canvas);
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
                       const TerminalStyle& style, absl::Span<const double> dotted) {
  const auto finite = std::count_if(values.begin(), values.end(),
                                    [](double value) { return std::isfinite(value); });
  if (finite < 2 || options.columns < 1 || options.rows < 1) return "";
  const Scale scale = ScaleOfBoth(values, dotted);
  Canvas canvas(options.columns, options.rows, style);
  Draw(values, scale, canvas);
  DrawDots(dotted, values.size(), scale, canvas);

  const int last_x = options.first_x + static_cast<int>(values.size()) - 1;
  return RenderFrame(canvas,
                     {.title = options.title,
                      .y = scale,
                      .first_x = absl::StrCat(options.first_x),
                      .last_x = absl::StrCat(options.x_name, " ", last_x)},
                     style);
}

}  // namespace mlp

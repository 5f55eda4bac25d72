#include "client/terminal/plot.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>

#include "client/terminal/canvas.h"
#include "client/terminal/numbers.h"
#include "client/terminal/table.h"

namespace mlp {
namespace {

struct Scale {
  double low = 0;
  double high = 0;
  bool logarithmic = false;

  // 0 at the bottom, 1 at the top.
  double Height(double value) const {
    if (high == low) return 0.5;
    if (logarithmic) return std::log(value / low) / std::log(high / low);
    return (value - low) / (high - low);
  }
};

Scale ScaleOf(absl::Span<const double> values) {
  Scale scale{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    scale.low = std::min(scale.low, value);
    scale.high = std::max(scale.high, value);
  }
  scale.logarithmic = scale.low > 0 && scale.high >= 10 * scale.low;
  return scale;
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
    const double along = static_cast<double>(i) / static_cast<double>(values.size() - 1);
    const int x = static_cast<int>(std::lround(along * (canvas.dots_x() - 1)));
    const int y =
        static_cast<int>(std::lround((1 - scale.Height(values[i])) * (canvas.dots_y() - 1)));
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

  const std::string high = FormatValue(scale.high);
  const std::string low = FormatValue(scale.low);
  const size_t label_width = std::max(high.size(), low.size());
  std::string text = absl::StrCat(options.title, scale.logarithmic ? " (log scale)" : "", "\n");
  for (int row = 0; row < canvas.rows(); ++row) {
    const std::string label = row == 0 ? high : row == canvas.rows() - 1 ? low : "";
    const std::string line =
        absl::StrCat(PadLeft(label, label_width), style.utf8 ? " │" : " |", canvas.Row(row));
    absl::StrAppend(&text, absl::StripTrailingAsciiWhitespace(line), "\n");
  }
  std::string axis = style.utf8 ? " └" : " +";
  for (int i = 0; i < options.columns; ++i) axis += style.utf8 ? "─" : "-";
  absl::StrAppend(&text, std::string(label_width, ' '), axis, "\n");
  const std::string first = absl::StrCat(options.first_x);
  const std::string last =
      absl::StrCat(options.x_name, " ", options.first_x + static_cast<int>(values.size()) - 1);
  const auto columns = static_cast<size_t>(options.columns);
  absl::StrAppend(&text, std::string(label_width + 2, ' '), first,
                  PadLeft(last, columns > first.size() ? columns - first.size() : 0), "\n");
  return text;
}

}  // namespace mlp

#include "client/terminal/curve_plot.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include "client/terminal/canvas.h"
#include "client/terminal/numbers.h"
#include "client/terminal/plot_frame.h"
#include "client/terminal/scale.h"

namespace mlp {
namespace {

bool IsFinite(const CurvePoint& point) { return std::isfinite(point.x) && std::isfinite(point.y); }

std::vector<double> FiniteValues(absl::Span<const Curve> curves, double CurvePoint::*coordinate) {
  std::vector<double> values;
  for (const Curve& curve : curves) {
    for (const CurvePoint& point : curve.points) {
      if (IsFinite(point)) values.push_back(point.*coordinate);
    }
  }
  return values;
}

// Where an x stands.
class XAxis {
 public:
  XAxis(const std::vector<double>& values, bool logarithmic) {
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    first_ = *low;
    last_ = *high;
    scale_ = {.low = first_, .high = last_, .logarithmic = logarithmic};
    if (!logarithmic || first_ > 0) return;
    double smallest = std::numeric_limits<double>::infinity();
    for (const double value : values) {
      if (value > 0) smallest = std::min(smallest, value);
    }
    scale_.low = smallest / std::sqrt(10.0);
  }

  double first() const { return first_; }
  double last() const { return last_; }
  double At(double x) const { return scale_.At(std::max(x, scale_.low)); }

 private:
  double first_ = 0;
  double last_ = 0;
  Scale scale_;
};

void Draw(const Curve& curve, const XAxis& x_axis, const Scale& y_scale, Canvas& canvas) {
  const CurvePoint* last = nullptr;
  const auto dot_x = [&](const CurvePoint& point) {
    return static_cast<int>(std::lround(x_axis.At(point.x) * (canvas.dots_x() - 1)));
  };
  const auto dot_y = [&](const CurvePoint& point) {
    return static_cast<int>(std::lround((1 - y_scale.At(point.y)) * (canvas.dots_y() - 1)));
  };
  for (const CurvePoint& point : curve.points) {
    if (!IsFinite(point)) continue;
    if (last != nullptr) canvas.Line(dot_x(*last), dot_y(*last), dot_x(point), dot_y(point));
    canvas.Mark(dot_x(point), dot_y(point), curve.mark);
    last = &point;
  }
}

std::string Legend(absl::Span<const Curve> curves) {
  return absl::StrJoin(curves, "   ", [](std::string* out, const Curve& curve) {
    absl::StrAppend(out, std::string(1, curve.mark), " ", curve.name);
  });
}

}  // namespace

std::string RenderCurves(absl::Span<const Curve> curves, const CurvePlotOptions& options,
                         const TerminalStyle& style) {
  const std::vector<double> xs = FiniteValues(curves, &CurvePoint::x);
  if (xs.empty() || options.columns < 1 || options.rows < 1) return "";
  const XAxis x_axis(xs, options.logarithmic_x);
  if (x_axis.first() == x_axis.last()) return "";
  const Scale y_scale = ScaleOf(FiniteValues(curves, &CurvePoint::y));
  Canvas canvas(options.columns, options.rows, style);
  for (const Curve& curve : curves) Draw(curve, x_axis, y_scale, canvas);

  return RenderFrame(
      canvas,
      {.title = options.title,
       .legend = absl::StrCat(":   ", Legend(curves)),
       .y = y_scale,
       .first_x = FormatValue(x_axis.first()),
       .last_x = absl::StrCat(options.x_name, options.logarithmic_x ? " (log scale) " : " ",
                              FormatValue(x_axis.last()))},
      style);
}

}  // namespace mlp

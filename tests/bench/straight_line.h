// A straight line through measured points.
#pragma once

#include <vector>

namespace mlp::bench {

struct LinePoint {
  double x = 0.0;
  double y = 0.0;
};

struct StraightLine {
  double intercept = 0.0;
  double slope = 0.0;
  double r_squared = 0.0;  // share of the variance of y that the line explains

  double At(double x) const { return intercept + slope * x; }
};

// By least squares. Requires two different x.
inline StraightLine FitStraightLine(const std::vector<LinePoint>& points) {
  const auto n = static_cast<double>(points.size());
  double mean_x = 0.0, mean_y = 0.0;
  for (const LinePoint& point : points) {
    mean_x += point.x / n;
    mean_y += point.y / n;
  }
  double xx = 0.0, xy = 0.0, yy = 0.0;
  for (const LinePoint& point : points) {
    xx += (point.x - mean_x) * (point.x - mean_x);
    xy += (point.x - mean_x) * (point.y - mean_y);
    yy += (point.y - mean_y) * (point.y - mean_y);
  }
  const double slope = xy / xx;
  return {.intercept = mean_y - slope * mean_x,
          .slope = slope,
          .r_squared = yy > 0.0 ? xy * xy / (xx * yy) : 1.0};
}

}  // namespace mlp::bench

#include "client/terminal/scale.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mlp {

double Scale::At(double value) const {
  if (high == low) return 0.5;
  if (logarithmic) return std::log(value / low) / std::log(high / low);
  return (value - low) / (high - low);
}

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

}  // namespace mlp

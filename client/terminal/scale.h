// Where values lie along an axis of a plot.
#pragma once

#include <absl/types/span.h>

namespace mlp {

struct Scale {
  double low = 0;
  double high = 0;
  // Requires low > 0.
  bool logarithmic = false;

  // 0 at the lower end, 1 at the upper one; the middle where both ends are one.
  double At(double value) const;
};

// From the smallest to the largest of the finite values, at least one; logarithmic where they are
// positive and the largest is at least ten times the smallest.
Scale ScaleOf(absl::Span<const double> values);

}  // namespace mlp

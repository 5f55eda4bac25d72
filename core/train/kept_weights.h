// The weights that a training would return if it ended now.
#pragma once

#include <optional>
#include <vector>

#include "core/base/matrix.h"

namespace mlp {

struct KeptWeights {
  VectorF theta;
  int iteration = 0;
  double cost = 0.0;                           // J, as in the iteration's progress point
  std::optional<double> validation_cost = {};  // where there is a validation part
};

// Whether weights with the first cost are better than those with the second: it is lower, or the
// second is NaN.
bool IsBetter(double cost, double than);

// The mean of vectors of one size, of which there is at least one; summed in double, in their
// order.
VectorF MeanOf(const std::vector<VectorF>& vectors);

}  // namespace mlp

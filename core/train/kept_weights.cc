#include "core/train/kept_weights.h"

#include <cmath>

namespace mlp {

bool IsBetter(double cost, double than) {
  return cost < than || (std::isnan(than) && !std::isnan(cost));
}

VectorF MeanOf(const std::vector<VectorF>& vectors) {
  Vector<double> sum = Vector<double>::Zero(vectors.front().size());
  for (const VectorF& vector : vectors) sum += vector.cast<double>();
  return (sum / static_cast<double>(vectors.size())).cast<float>();
}

}  // namespace mlp

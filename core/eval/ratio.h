// Shares of counts.
#pragma once

#include <cstdint>

namespace mlp {

// numerator / denominator; 0 where the denominator is 0.
inline double Ratio(int64_t numerator, int64_t denominator) {
  return denominator == 0 ? 0.0 : static_cast<double>(numerator) / static_cast<double>(denominator);
}

}  // namespace mlp

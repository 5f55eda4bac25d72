// One layer through Eigen, compiled for the very CPU that builds it, as one would who calls it by
// hand. In a file of its own, and in a namespace of its own, for the rest is built for every
// x86-64.
#pragma once

#include <cstdint>

namespace mlp::bench {

// sums [rows x units] = biases + inputs [rows x features] * transpose(weights [units x features]).
void EigenWeightedSums(const float* weights, const float* biases, int64_t units, int64_t features,
                       const float* inputs, int64_t rows, float* sums);

}  // namespace mlp::bench

// The weighted sums z of a layer's units: what the activations are functions of. The one place
// where training, evaluation and prediction choose how to multiply by the weights.
#pragma once

#include <cstdint>

namespace mlp {

// Some or all units of a layer.
template <typename Scalar>
struct LayerUnits {
  const Scalar* weights;  // [units x inputs] row-major
  const Scalar* biases;   // [units]
  int64_t units;
  int64_t inputs;
};

// sums [rows x units], rows `sums_stride` apart = biases + values [rows x inputs] *
// transpose(weights). All sizes are at least 1. Thread-safe.
template <typename Scalar>
void WeightedSums(const LayerUnits<Scalar>& layer, const Scalar* values, int64_t rows, Scalar* sums,
                  int64_t sums_stride);

// True where a float sum has the same bits whatever rows and units are computed with it:
// docs/numerics.md.
bool WeightedSumsKeepTheirBits();

}  // namespace mlp

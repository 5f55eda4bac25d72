// The weighted sums of a layer in AVX-512, without BLAS: for the shapes of serving, few rows or few
// units, where BLAS spends its time on copying matrices into panels.
#pragma once

#include <cstdint>

namespace mlp {

// True where this CPU and system have AVX-512.
bool HasWeightedSumsAvx512();

struct WeightedSumsArguments {
  const float* inputs;   // [rows x features] row-major
  const float* weights;  // [units x features] row-major
  const float* biases;   // [units]
  int64_t rows;
  int64_t units;
  int64_t features;
  float* sums;          // [rows x units], rows `sums_stride` apart
  int64_t sums_stride;  // >= units
};

// sums = biases + inputs * transpose(weights). No alignment is asked for. Each sum has the same
// bits whatever the rows and units around it: see docs/numerics.md. Requires
// HasWeightedSumsAvx512() and sizes of at least 1. Takes 300 KiB of stack. Thread-safe.
void WeightedSumsAvx512(const WeightedSumsArguments& arguments);

}  // namespace mlp

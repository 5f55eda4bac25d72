// The element-wise functions of the inner loops, in the widest vectors that the CPU at hand has.
// The program itself is built for every x86-64; these few loops are compiled once more for AVX2 and
// AVX-512, and the loader picks. Thread-safe.
//
// Accuracy: exp within 2 ulp, sigmoid and tanh within 4 (tests/core/nn/vector_math_test). NaN stays
// NaN.
#pragma once

#include <cstdint>

namespace mlp {

// out[i] = exp(in[i]); 0 below -87.3, at most 3e38. `in` may be `out`.
void VectorExp(const float* in, float* out, int64_t count);

// z[i] = 1 / (1 + exp(-z[i])).
void VectorSigmoid(float* z, int64_t count);

// z[i] = tanh(z[i]).
void VectorTanh(float* z, int64_t count);

// z[i] = max(0, z[i]).
void VectorRelu(float* z, int64_t count);

// delta[i] times the derivative of max(0, z) where it is h[i]; that at 0 is 0.
void VectorReluDerivative(const float* h, float* delta, int64_t count);

// delta[i] times the derivative of the sigmoid where it is h[i]: h (1 - h).
void VectorSigmoidDerivative(const float* h, float* delta, int64_t count);

// delta[i] times the derivative of tanh where it is h[i]: 1 - h^2.
void VectorTanhDerivative(const float* h, float* delta, int64_t count);

// sums [columns] = the sum of the rows of `matrix` [rows x columns], added in their order.
void VectorSumRows(const float* matrix, int64_t rows, int64_t columns, float* sums);

// sum[i] += terms[i].
void VectorAddTo(const float* terms, double* sum, int64_t count);

}  // namespace mlp

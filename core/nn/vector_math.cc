#include "core/nn/vector_math.h"

#include <bit>

#include "core/base/for_each_cpu.h"

namespace mlp {
namespace {

constexpr float kLargestExponent = 88.3762589f;
constexpr float kSmallestExponent = -87.3365479f;

// exp(x) = 2^n exp(r) with n = round(x / log 2) and |r| <= log(2) / 2; exp(r) by the polynomial of
// Cephes' expf (Moshier 1989). Without branches, so that loops over it are vectorized.
inline __attribute__((always_inline)) float Exp(float x) {
  const float below = x > kLargestExponent ? kLargestExponent : x;
  const float bounded = below < kSmallestExponent ? kSmallestExponent : below;
  // Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits.
  constexpr float kRound = 12582912.0f;
  const float shifted = bounded * 1.44269504f + kRound;
  const float n = shifted - kRound;
  const float r = (bounded - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  const float y = p * r * r + r + 1.0f;
  const auto exponent = static_cast<uint32_t>(std::bit_cast<int32_t>(shifted) - 0x4B400000 + 127);
  const float power = std::bit_cast<float>(exponent << 23);
  return x < kSmallestExponent ? 0.0f : y * power;
}

inline __attribute__((always_inline)) float Sigmoid(float z) { return 1.0f / (1.0f + Exp(-z)); }

// Cephes' tanhf: a polynomial near 0, where 1 - 2 / (exp(2 |z|) + 1) would cancel.
inline __attribute__((always_inline)) float Tanh(float z) {
  const float magnitude = z < 0.0f ? -z : z;
  const float far = 1.0f - 2.0f / (Exp(2.0f * magnitude) + 1.0f);
  const float s = z * z;
  float p = -5.70498872745e-3f;
  p = p * s + 2.06390887954e-2f;
  p = p * s - 5.37397155531e-2f;
  p = p * s + 1.33314422036e-1f;
  p = p * s - 3.33332819422e-1f;
  const float near = p * s * z + z;
  const float signed_far = z < 0.0f ? -far : far;
  return magnitude < 0.625f ? near : signed_far;
}

// The rest of a loop is one more group of vectors under a mask, and not a loop over single values:
// a compiler may fuse a multiplication and an addition in one and not in the other, and a value's
// bits would depend on its place.
template <float (*kFunction)(float)>
inline __attribute__((always_inline)) void ForEachGroup(const float* in, float* out,
                                                        int64_t count) {
  constexpr int kGroup = 16;
  const int64_t whole = count / kGroup * kGroup;
  for (int64_t i = 0; i < whole; ++i) out[i] = kFunction(in[i]);
  const auto rest = static_cast<int>(count - whole);
  if (rest == 0) return;
  for (int i = 0; i < kGroup; ++i) {
    if (i < rest) out[whole + i] = kFunction(in[whole + i]);
  }
}

}  // namespace

MLP_FOR_EACH_CPU
void VectorExp(const float* in, float* out, int64_t count) { ForEachGroup<Exp>(in, out, count); }

MLP_FOR_EACH_CPU
void VectorSigmoid(float* z, int64_t count) { ForEachGroup<Sigmoid>(z, z, count); }

MLP_FOR_EACH_CPU
void VectorTanh(float* z, int64_t count) { ForEachGroup<Tanh>(z, z, count); }

// Nothing is rounded here, so that the rest of a loop may be one over single values. Selections,
// since branches on the sign of activations are mispredicted half the time.
MLP_FOR_EACH_CPU
void VectorRelu(float* z, int64_t count) {
  for (int64_t i = 0; i < count; ++i) z[i] = z[i] < 0.0f ? 0.0f : z[i];
}

MLP_FOR_EACH_CPU
void VectorReluDerivative(const float* __restrict h, float* __restrict delta, int64_t count) {
  for (int64_t i = 0; i < count; ++i) delta[i] = h[i] > 0.0f ? delta[i] : 0.0f;
}

MLP_FOR_EACH_CPU
void VectorSigmoidDerivative(const float* __restrict h, float* __restrict delta, int64_t count) {
  for (int64_t i = 0; i < count; ++i) delta[i] *= h[i] * (1.0f - h[i]);
}

MLP_FOR_EACH_CPU
void VectorTanhDerivative(const float* __restrict h, float* __restrict delta, int64_t count) {
  for (int64_t i = 0; i < count; ++i) delta[i] *= 1.0f - h[i] * h[i];
}

MLP_FOR_EACH_CPU
void VectorSumRows(const float* __restrict matrix, int64_t rows, int64_t columns,
                   float* __restrict sums) {
  for (int64_t j = 0; j < columns; ++j) sums[j] = 0.0f;
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) sums[j] += matrix[i * columns + j];
  }
}

MLP_FOR_EACH_CPU
void VectorAddTo(const float* __restrict terms, double* __restrict sum, int64_t count) {
  for (int64_t i = 0; i < count; ++i) sum[i] += static_cast<double>(terms[i]);
}

}  // namespace mlp

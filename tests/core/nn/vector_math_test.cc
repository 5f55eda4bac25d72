#include "core/nn/vector_math.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace mlp {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Every exponent and many mantissas of both signs, and what lies around the functions' seams.
std::vector<float> Arguments() {
  std::vector<float> arguments = {0.0f, -0.0f, 0.625f, -0.625f, 0.6249999f, 87.3f, -87.3f, 88.3f};
  for (double magnitude = 1e-6; magnitude < 200.0; magnitude *= 1.0007) {
    arguments.push_back(static_cast<float>(magnitude));
    arguments.push_back(static_cast<float>(-magnitude));
  }
  return arguments;
}

// Distance in units of the last place of `expected` (of the smallest normal number at the least).
double Ulps(float got, double expected) {
  const double size = std::max(std::abs(expected), 1.1754944e-38);
  const double ulp = std::exp2(std::floor(std::log2(size)) - 23);
  return std::abs(static_cast<double>(got) - expected) / ulp;
}

TEST(VectorMath, ExpIsExactToTwoUlps) {
  const std::vector<float> in = Arguments();
  std::vector<float> out(in.size());
  VectorExp(in.data(), out.data(), static_cast<int64_t>(in.size()));
  for (size_t i = 0; i < in.size(); ++i) {
    if (in[i] > -87.3f && in[i] < 88.3f) {
      ASSERT_LE(Ulps(out[i], std::exp(static_cast<double>(in[i]))), 2.0) << in[i];
    }
  }
}

TEST(VectorMath, SigmoidIsExactToFourUlps) {
  const std::vector<float> in = Arguments();
  std::vector<float> out = in;
  VectorSigmoid(out.data(), static_cast<int64_t>(out.size()));
  for (size_t i = 0; i < in.size(); ++i) {
    if (in[i] > -87.3f) {
      ASSERT_LE(Ulps(out[i], 1.0 / (1.0 + std::exp(-static_cast<double>(in[i])))), 4.0) << in[i];
    }
  }
}

TEST(VectorMath, TanhIsExactToFourUlps) {
  const std::vector<float> in = Arguments();
  std::vector<float> out = in;
  VectorTanh(out.data(), static_cast<int64_t>(out.size()));
  for (size_t i = 0; i < in.size(); ++i) {
    ASSERT_LE(Ulps(out[i], std::tanh(static_cast<double>(in[i]))), 4.0) << in[i];
  }
}

TEST(VectorMath, SaturatesAtTheEndsAndKeepsNan) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> ends = {-kInfinity, -1e30f, 1e30f, kInfinity, nan};
  std::vector<float> exponential(5), sigmoid = ends, tanh = ends;
  VectorExp(ends.data(), exponential.data(), 5);
  VectorSigmoid(sigmoid.data(), 5);
  VectorTanh(tanh.data(), 5);
  for (const size_t low : {size_t{0}, size_t{1}}) {
    EXPECT_EQ(exponential[low], 0.0f);
    EXPECT_LT(sigmoid[low], 1e-37f);
    EXPECT_GE(sigmoid[low], 0.0f);
    EXPECT_EQ(tanh[low], -1.0f);
  }
  for (const size_t high : {size_t{2}, size_t{3}}) {
    EXPECT_GT(exponential[high], 1e38f);
    EXPECT_TRUE(std::isfinite(exponential[high]));
    EXPECT_EQ(sigmoid[high], 1.0f);
    EXPECT_EQ(tanh[high], 1.0f);
  }
  EXPECT_TRUE(std::isnan(exponential[4]));
  EXPECT_TRUE(std::isnan(sigmoid[4]));
  EXPECT_TRUE(std::isnan(tanh[4]));
}

TEST(VectorMath, EveryElementIsTheSameWhereverItStands) {
  // Vectorized bodies and scalar remainders must agree to the bit, or rows would depend on the
  // batch.
  const std::vector<float> in = Arguments();
  for (int64_t count = 1; count < 70; ++count) {
    for (const auto function : {VectorSigmoid, VectorTanh}) {
      std::vector<float> together(in.begin() + 5000, in.begin() + 5000 + count);
      std::vector<float> alone = together;
      function(together.data(), count);
      for (float& value : alone) function(&value, 1);
      ASSERT_EQ(together, alone) << count;
    }
  }
}

TEST(VectorMath, ReluAndItsDerivativeChooseBySign) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> z = {-2.0f, -0.5f, 0.0f, 1e-30f, 3.0f};
  std::vector<float> h, delta;
  for (int i = 0; i < 37; ++i) {
    h.push_back(z[static_cast<size_t>(i) % z.size()]);
    delta.push_back(static_cast<float>(i));
  }
  h[36] = kNan;
  VectorRelu(h.data(), 37);
  VectorReluDerivative(h.data(), delta.data(), 37);
  for (size_t i = 0; i < 36; ++i) {
    const float expected = z[i % z.size()];
    EXPECT_EQ(h[i], std::max(0.0f, expected)) << i;
    EXPECT_EQ(delta[i], expected > 0.0f ? static_cast<float>(i) : 0.0f) << i;
  }
  EXPECT_TRUE(std::isnan(h[36]));
}

TEST(VectorMath, DerivativesOfSigmoidAndTanhAreThoseOfTheirValues) {
  std::vector<float> h, sigmoid, tanh;
  for (int i = 0; i < 37; ++i) {
    h.push_back(static_cast<float>(i) / 36.0f);
    sigmoid.push_back(static_cast<float>(i - 5));
    tanh.push_back(static_cast<float>(i - 5));
  }
  VectorSigmoidDerivative(h.data(), sigmoid.data(), 37);
  VectorTanhDerivative(h.data(), tanh.data(), 37);
  for (int i = 0; i < 37; ++i) {
    const double value = i / 36.0;
    EXPECT_NEAR(sigmoid[static_cast<size_t>(i)], (i - 5) * value * (1.0 - value), 1e-6) << i;
    EXPECT_NEAR(tanh[static_cast<size_t>(i)], (i - 5) * (1.0 - value * value), 4e-6) << i;
  }
}

TEST(VectorMath, SumsRows) {
  for (const int64_t columns : {1, 7, 16, 25}) {
    std::vector<float> matrix, sums(static_cast<size_t>(columns), 99.0f);
    for (int64_t i = 0; i < 5 * columns; ++i) matrix.push_back(static_cast<float>(i));
    VectorSumRows(matrix.data(), 5, columns, sums.data());
    for (int64_t j = 0; j < columns; ++j) {
      EXPECT_EQ(sums[static_cast<size_t>(j)], static_cast<float>(5 * j + 10 * columns));
    }
  }
}

TEST(VectorMath, AddsFloatsToDoubles) {
  const std::vector<float> terms = {1.0f, 2.5f, -3.0f};
  std::vector<double> sum = {1e9, 0.0, 3.0};
  VectorAddTo(terms.data(), sum.data(), 3);
  EXPECT_EQ(sum, (std::vector<double>{1e9 + 1.0, 2.5, 0.0}));
}

}  // namespace
}  // namespace mlp

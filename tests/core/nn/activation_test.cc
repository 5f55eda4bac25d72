#include "core/nn/activation.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace mlp {
namespace {

template <typename Scalar>
std::vector<Scalar> Activated(const LayerSpec& layer, std::vector<Scalar> z, int rows = 1) {
  const auto columns = static_cast<Eigen::Index>(z.size()) / rows;
  Activate<Scalar>(layer, MatrixMap<Scalar>(z.data(), rows, columns));
  return z;
}

// What a delta of 1 becomes under the derivative at values `h`.
std::vector<double> Derivative(Activation activation, const std::vector<double>& h) {
  std::vector<double> delta(h.size(), 1.0);
  const auto size = static_cast<Eigen::Index>(h.size());
  MultiplyByDerivative<double>(activation, ConstMatrixMap<double>(h.data(), 1, size),
                               MatrixMap<double>(delta.data(), 1, size));
  return delta;
}

template <typename Scalar>
class ActivationTest : public testing::Test {};
using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(ActivationTest, Scalars);

TYPED_TEST(ActivationTest, SigmoidOfKnownValues) {
  const auto ln3 = static_cast<TypeParam>(std::log(3.0));
  // Five values: more than one SIMD packet and a rest.
  const auto h = Activated<TypeParam>({.activation = Activation::kSigmoid}, {0, ln3, -ln3, 2, -2});
  const double tolerance = 4.0 * std::numeric_limits<TypeParam>::epsilon();
  EXPECT_EQ(h[0], TypeParam{0.5});
  EXPECT_NEAR(h[1], 0.75, tolerance);
  EXPECT_NEAR(h[2], 0.25, tolerance);
  EXPECT_NEAR(h[3], 0.8807970779778823, tolerance);
  EXPECT_NEAR(h[4], 0.11920292202211757, tolerance);
}

TYPED_TEST(ActivationTest, SigmoidIsPreciseWhereItIsSmall) {
  for (const double z : {-3.0, -5.0, -9.0, -20.0, -60.0}) {
    const auto h = Activated<TypeParam>({.activation = Activation::kSigmoid},
                                        std::vector<TypeParam>(5, static_cast<TypeParam>(z)));
    const double expected = 1.0 / (1.0 + std::exp(-z));
    for (const TypeParam value : h) EXPECT_NEAR(value / expected, 1.0, 1e-6) << z;
  }
}

TYPED_TEST(ActivationTest, SigmoidAndTanhSaturateAtExtremeInputs) {
  const TypeParam most = std::numeric_limits<TypeParam>::max();
  const TypeParam huge = static_cast<TypeParam>(1e30);
  for (const int repeat : {1, 4}) {  // alone, and in a SIMD packet
    for (const TypeParam z : {TypeParam{1e4}, huge, most}) {
      const std::vector<TypeParam> up(static_cast<size_t>(repeat), z);
      const std::vector<TypeParam> down(static_cast<size_t>(repeat), -z);
      for (const TypeParam h : Activated<TypeParam>({.activation = Activation::kSigmoid}, up)) {
        EXPECT_EQ(h, TypeParam{1});
      }
      for (const TypeParam h : Activated<TypeParam>({.activation = Activation::kSigmoid}, down)) {
        EXPECT_GE(h, TypeParam{0});
        EXPECT_LE(h, TypeParam{1e-38});
      }
      for (const TypeParam h : Activated<TypeParam>({.activation = Activation::kTanh}, up)) {
        EXPECT_EQ(h, TypeParam{1});
      }
      for (const TypeParam h : Activated<TypeParam>({.activation = Activation::kTanh}, down)) {
        EXPECT_EQ(h, TypeParam{-1});
      }
    }
  }
}

TYPED_TEST(ActivationTest, SoftmaxOfKnownValuesRowByRow) {
  // exp of (0, ln 2, ln 5) is (1, 2, 5); a constant added to a row changes nothing.
  const auto h = Activated<TypeParam>(
      {.activation = Activation::kSoftmax},
      {0, static_cast<TypeParam>(std::log(2.0)), static_cast<TypeParam>(std::log(5.0)),
       static_cast<TypeParam>(7 + std::log(5.0)), 7, static_cast<TypeParam>(7 + std::log(2.0))},
      2);
  const double tolerance = 8.0 * std::numeric_limits<TypeParam>::epsilon();
  const std::vector<double> expected = {0.125, 0.25, 0.625, 0.625, 0.125, 0.25};
  for (size_t i = 0; i < h.size(); ++i) EXPECT_NEAR(h[i], expected[i], tolerance) << i;
}

TYPED_TEST(ActivationTest, SoftmaxStaysFiniteAtExtremeInputs) {
  for (const double scale : {1e4, 1e30}) {
    const auto large = static_cast<TypeParam>(scale);
    const auto h = Activated<TypeParam>({.activation = Activation::kSoftmax},
                                        {large, -large, 0, large, large, -large}, 2);
    EXPECT_EQ(h[0], TypeParam{1});
    EXPECT_LE(h[1], TypeParam{1e-38});
    EXPECT_LE(h[2], TypeParam{1e-38});
    EXPECT_EQ(h[3], TypeParam{0.5});
    EXPECT_EQ(h[4], TypeParam{0.5});
    EXPECT_LE(h[5], TypeParam{1e-38});
  }
}

TYPED_TEST(ActivationTest, TanhReluAndIdentityOfKnownValues) {
  const auto tanh = Activated<TypeParam>({.activation = Activation::kTanh}, {0, 1, -1, 0.5, 3});
  const double tolerance = 8.0 * std::numeric_limits<TypeParam>::epsilon();
  EXPECT_EQ(tanh[0], TypeParam{0});
  EXPECT_NEAR(tanh[1], 0.7615941559557649, tolerance);
  EXPECT_NEAR(tanh[2], -0.7615941559557649, tolerance);
  EXPECT_NEAR(tanh[3], 0.46211715726000973, tolerance);
  EXPECT_NEAR(tanh[4], 0.9950547536867305, tolerance);
  EXPECT_EQ(Activated<TypeParam>({.activation = Activation::kRelu}, {-2, 0, 3, -1, 5}),
            (std::vector<TypeParam>{0, 0, 3, 0, 5}));
  EXPECT_EQ(Activated<TypeParam>({.activation = Activation::kIdentity}, {-2, 0, 3}),
            (std::vector<TypeParam>{-2, 0, 3}));
}

TYPED_TEST(ActivationTest, StepIsOneFromItsThresholdOn) {
  EXPECT_EQ(Activated<TypeParam>({.activation = Activation::kStep, .threshold = 1.5f},
                                 {1.4f, 1.5f, 1.6f, -9, 9}),
            (std::vector<TypeParam>{0, 1, 1, 0, 1}));
}

TYPED_TEST(ActivationTest, NotANumberIsNotHidden) {
  const TypeParam nan = std::numeric_limits<TypeParam>::quiet_NaN();
  for (const Activation activation : {Activation::kSigmoid, Activation::kTanh, Activation::kRelu,
                                      Activation::kIdentity, Activation::kSoftmax}) {
    for (const size_t at : {0u, 2u, 4u}) {
      std::vector<TypeParam> z = {1, 2, 3, 4, 5};
      z[at] = nan;
      EXPECT_TRUE(std::isnan(Activated<TypeParam>({.activation = activation}, z)[at]))
          << ActivationName(activation) << " at " << at;
    }
  }
}

TEST(ActivationDerivative, OfTheSigmoidAtZeroIsAQuarter) {
  const auto h = Activated<double>({.activation = Activation::kSigmoid}, {0.0});
  EXPECT_EQ(Derivative(Activation::kSigmoid, h)[0], 0.25);
}

TEST(ActivationDerivative, OfReluAtZeroIsZero) {
  const auto h = Activated<double>({.activation = Activation::kRelu}, {-1.0, 0.0, 2.0});
  EXPECT_EQ(Derivative(Activation::kRelu, h), (std::vector<double>{0.0, 0.0, 1.0}));
}

TEST(ActivationDerivative, OfTanhAndIdentity) {
  EXPECT_EQ(Derivative(Activation::kTanh, {0.0, 0.5, -0.5}),
            (std::vector<double>{1.0, 0.75, 0.75}));
  EXPECT_EQ(Derivative(Activation::kIdentity, {0.0, 7.0}), (std::vector<double>{1.0, 1.0}));
}

TEST(ActivationDerivative, ExistsForAllButStepAndSoftmax) {
  EXPECT_TRUE(HasDerivative(Activation::kSigmoid));
  EXPECT_TRUE(HasDerivative(Activation::kTanh));
  EXPECT_TRUE(HasDerivative(Activation::kRelu));
  EXPECT_TRUE(HasDerivative(Activation::kIdentity));
  EXPECT_FALSE(HasDerivative(Activation::kStep));
  EXPECT_FALSE(HasDerivative(Activation::kSoftmax));
}

}  // namespace
}  // namespace mlp

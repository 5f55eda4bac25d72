#include "core/nn/cost.h"

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include <gtest/gtest.h>

namespace mlp {
namespace {

constexpr CostKind kSigmoid = CostKind::kSigmoidCrossEntropy;
constexpr CostKind kSoftmax = CostKind::kSoftmaxCrossEntropy;

template <typename Scalar>
double Cost(CostKind cost, int rows, const std::vector<Scalar>& logits,
            const std::vector<int32_t>& labels) {
  const ConstMatrixMap<Scalar> map(logits.data(), rows,
                                   static_cast<Eigen::Index>(logits.size()) / rows);
  return CrossEntropySum<Scalar>(cost, map, labels);
}

TEST(Cost, HasItsOutputActivation) {
  EXPECT_EQ(OutputActivation(kSigmoid), Activation::kSigmoid);
  EXPECT_EQ(OutputActivation(kSoftmax), Activation::kSoftmax);
}

TEST(Cost, SigmoidCrossEntropyByHand) {
  // h = (3/4, 1/4). Label 0: -[ln 3/4 + ln(1 - 1/4)]; label 1: -[ln(1 - 3/4) + ln 1/4].
  const double ln3 = std::log(3.0);
  EXPECT_NEAR(Cost<double>(kSigmoid, 1, {ln3, -ln3}, {0}), 2.0 * std::log(4.0 / 3.0), 1e-15);
  EXPECT_NEAR(Cost<double>(kSigmoid, 1, {ln3, -ln3}, {1}), 2.0 * std::log(4.0), 1e-15);
  // Rows are summed.
  EXPECT_NEAR(Cost<double>(kSigmoid, 2, {ln3, -ln3, ln3, -ln3}, {0, 1}), 2.0 * std::log(16.0 / 3.0),
              1e-15);
}

TEST(Cost, SoftmaxCrossEntropyByHand) {
  // h = (1/8, 2/8, 5/8).
  const std::vector<double> z = {0.0, std::log(2.0), std::log(5.0)};
  EXPECT_NEAR(Cost<double>(kSoftmax, 1, z, {0}), std::log(8.0), 1e-15);
  EXPECT_NEAR(Cost<double>(kSoftmax, 1, z, {1}), std::log(4.0), 1e-15);
  EXPECT_NEAR(Cost<double>(kSoftmax, 1, z, {2}), std::log(1.6), 1e-15);
}

TEST(Cost, OfAnIgnorantNetwork) {
  // All h = 1/2: K ln 2 a row; all h = 1/K: ln K a row.
  const std::vector<float> zeros(70, 0.0f);
  const std::vector<int32_t> labels = {0, 1, 2, 3, 4, 5, 9};
  EXPECT_NEAR(Cost(kSigmoid, 7, zeros, labels), 70.0 * std::numbers::ln2, 1e-12);
  EXPECT_NEAR(Cost(kSoftmax, 7, zeros, labels), 7.0 * std::log(10.0), 1e-12);
}

template <typename Scalar>
void ExpectExactAtExtremes() {
  for (const double magnitude : {1e4, 1e30}) {
    const auto z = static_cast<Scalar>(magnitude);
    const double exact = static_cast<double>(z);
    // Right and certain: no cost. Wrong and certain: the logit's size.
    EXPECT_EQ((Cost<Scalar>(kSigmoid, 1, {z, -z}, {0})), 0.0);
    EXPECT_EQ((Cost<Scalar>(kSigmoid, 1, {z, -z}, {1})), 2.0 * exact);
    EXPECT_EQ((Cost<Scalar>(kSoftmax, 1, {z, -z}, {0})), 0.0);
    EXPECT_EQ((Cost<Scalar>(kSoftmax, 1, {z, 0}, {1})), exact);
    EXPECT_NEAR((Cost<Scalar>(kSoftmax, 1, {-z, -z}, {1})), std::numbers::ln2, exact * 1e-15);
  }
}

TEST(Cost, IsExactAtExtremeLogits) {
  ExpectExactAtExtremes<float>();
  ExpectExactAtExtremes<double>();
}

TEST(Cost, IsFiniteAtTheLargestFloats) {
  const float most = std::numeric_limits<float>::max();
  // Sums of these overflow float, not double.
  for (const CostKind cost : {kSigmoid, kSoftmax}) {
    for (const int32_t label : {0, 1, 2}) {
      EXPECT_TRUE(std::isfinite(Cost<float>(cost, 1, {most, -most, most}, {label})));
    }
  }
}

TEST(Cost, KeepsItsPrecisionWhereItIsTiny) {
  // log(1 + exp(-20)) = exp(-20) to within exp(-40)/2; 1 + exp(-20) in double keeps 7 digits of it.
  EXPECT_NEAR(Cost<float>(kSigmoid, 1, {20.0f, -20.0f}, {0}) / (2.0 * std::exp(-20.0)), 1.0, 1e-6);
  EXPECT_NEAR(Cost<float>(kSigmoid, 1, {10.0f, -10.0f}, {0}) / (2.0 * std::log1p(std::exp(-10.0))),
              1.0, 1e-6);
  EXPECT_NEAR(Cost<float>(kSoftmax, 1, {10.0f, 0.0f}, {0}) / std::log1p(std::exp(-10.0)), 1.0,
              1e-4);
}

TEST(Cost, OfNotANumberIsNotANumber) {
  const float nan = std::nanf("");
  for (const CostKind cost : {kSigmoid, kSoftmax}) {
    for (const size_t at : {0u, 1u, 4u}) {
      std::vector<float> z = {1, 2, 3, 4, 5};
      z[at] = nan;
      EXPECT_TRUE(std::isnan(Cost<float>(cost, 1, z, {2}))) << at;
    }
  }
}

// Many classes and rows: over the size of the buffer that exponentials go through.
TEST(Cost, AgreesWithThePlainFormulaAtManyClasses) {
  for (const int classes : {2, 3, 511, 512, 513, 1300}) {
    const int rows = classes < 10 ? 700 : 5;
    Matrix<double> z(rows, classes);
    std::vector<int32_t> labels;
    double sigmoid = 0.0;
    double softmax = 0.0;
    for (int i = 0; i < rows; ++i) {
      labels.push_back((i * 37) % classes);
      double exponentials = 0.0;
      for (int k = 0; k < classes; ++k) {
        z(i, k) = 4.0 * std::sin(1.0 + i * classes + k);
        const double h = 1.0 / (1.0 + std::exp(-z(i, k)));
        sigmoid -= k == labels.back() ? std::log(h) : std::log(1.0 - h);
        exponentials += std::exp(z(i, k));
      }
      softmax -= std::log(std::exp(z(i, labels.back())) / exponentials);
    }
    EXPECT_NEAR(CrossEntropySum<double>(kSigmoid, z, labels) / sigmoid, 1.0, 1e-13);
    EXPECT_NEAR(CrossEntropySum<double>(kSoftmax, z, labels) / softmax, 1.0, 1e-13);
  }
}

TEST(Cost, TakesABlockOfAWiderMatrix) {
  Matrix<double> wide = Matrix<double>::Constant(2, 5, 1e9);
  const double ln3 = std::log(3.0);
  wide.leftCols(2) << ln3, -ln3, ln3, -ln3;
  const std::vector<int32_t> labels = {0, 1};
  EXPECT_NEAR(CrossEntropySum<double>(kSigmoid, wide.leftCols(2), labels),
              2.0 * std::log(16.0 / 3.0), 1e-14);
  // softmax h = (9/10, 1/10).
  EXPECT_NEAR(CrossEntropySum<double>(kSoftmax, wide.leftCols(2), labels),
              std::log(10.0 / 9.0) + std::log(10.0), 1e-14);
}

}  // namespace
}  // namespace mlp

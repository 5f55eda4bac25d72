#include "core/nn/initialization.h"

#include <cmath>

#include <gtest/gtest.h>

#include "core/nn/network.h"

namespace mlp {
namespace {

const Topology kTopology = {
    .inputs = 400, .layers = {{.units = 25}, {.units = 10, .activation = Activation::kSigmoid}}};

double Deviation(const Vector<double>& values) {
  return std::sqrt((values.array() - values.mean()).square().mean());
}

TEST(Initialization, UniformFillsItsIntervalBiasesToo) {
  const Vector<double> theta =
      InitialParameters(kTopology, {.kind = InitializationKind::kUniform, .epsilon = 0.12}, 7);
  ASSERT_EQ(theta.size(), 10285);
  EXPECT_GE(theta.minCoeff(), -0.12);
  EXPECT_LT(theta.maxCoeff(), 0.12);
  EXPECT_LT(theta.minCoeff(), -0.119);
  EXPECT_GT(theta.maxCoeff(), 0.119);
  // Mean 0 and deviation epsilon / sqrt(3), to within five standard errors of 10,285 draws.
  EXPECT_NEAR(theta.mean(), 0.0, 5.0 * 0.12 / std::sqrt(3.0 * 10285.0));
  EXPECT_NEAR(Deviation(theta), 0.12 / std::sqrt(3.0), 0.002);
  EXPECT_NE(theta[10000], 0.0);
}

TEST(Initialization, GlorotScalesWithBothSidesAndLeavesBiasesZero) {
  const Vector<double> theta =
      InitialParameters(kTopology, {.kind = InitializationKind::kGlorot}, 7);
  const double first = std::sqrt(6.0 / 425.0);
  const double second = std::sqrt(6.0 / 35.0);
  const auto weights_1 = theta.segment(0, 10000);
  const auto weights_2 = theta.segment(10025, 250);
  EXPECT_LE(weights_1.cwiseAbs().maxCoeff(), first);
  EXPECT_GT(weights_1.cwiseAbs().maxCoeff(), 0.99 * first);
  EXPECT_LE(weights_2.cwiseAbs().maxCoeff(), second);
  EXPECT_GT(weights_2.cwiseAbs().maxCoeff(), 0.95 * second);
  EXPECT_TRUE((theta.segment(10000, 25).array() == 0.0).all());
  EXPECT_TRUE((theta.segment(10275, 10).array() == 0.0).all());
}

TEST(Initialization, HeIsNormalWithTwoOverFanIn) {
  const Vector<double> theta = InitialParameters(kTopology, {.kind = InitializationKind::kHe}, 7);
  const double deviation = std::sqrt(2.0 / 400.0);
  const auto weights = theta.segment(0, 10000);
  EXPECT_NEAR(weights.mean(), 0.0, 5.0 * deviation / 100.0);
  EXPECT_NEAR(Deviation(weights), deviation, 0.04 * deviation);
  // Normal and not uniform: some draws lie beyond three deviations, 27 of 10,000 expected.
  const auto far = (weights.array().abs() > 3.0 * deviation).count();
  EXPECT_GT(far, 5);
  EXPECT_LT(far, 80);
  EXPECT_TRUE((theta.segment(10000, 25).array() == 0.0).all());
}

TEST(Initialization, IsFixedByTheSeed) {
  for (const InitializationKind kind :
       {InitializationKind::kUniform, InitializationKind::kGlorot, InitializationKind::kHe}) {
    const InitializationOptions options = {.kind = kind};
    EXPECT_EQ(InitialParameters(kTopology, options, 3), InitialParameters(kTopology, options, 3));
    EXPECT_NE(InitialParameters(kTopology, options, 3), InitialParameters(kTopology, options, 4));
  }
}

}  // namespace
}  // namespace mlp

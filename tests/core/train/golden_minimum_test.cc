// Full-batch optimizers against minima that SciPy found: softmax regression with a penalty, whose
// minimum there is one of.
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/clock.h"
#include "core/base/thread_pool.h"
#include "core/optim/optimizer.h"
#include "core/train/objective.h"

namespace mlp {
namespace {

constexpr int kRows = 60, kFeatures = 4, kClasses = 3;

// x_ij = sin(0.7 i + 1.3 j); the label is the largest of the first three features, each moved by
// 0.4 cos(5 i + j).
Examples Waves() {
  Examples examples;
  examples.features.resize(kRows, kFeatures);
  for (int i = 0; i < kRows; ++i) {
    double largest = -10.0;
    int32_t label = 0;
    for (int j = 0; j < kFeatures; ++j) {
      const double x = std::sin(0.7 * i + 1.3 * j);
      examples.features(i, j) = static_cast<float>(x);
      const double moved = x + 0.4 * std::cos(5.0 * i + j);
      if (j < kClasses && moved > largest) {
        largest = moved;
        label = j;
      }
    }
    examples.labels.push_back(label);
  }
  return examples;
}

// From scipy.optimize.minimize in float64: L-BFGS-B, CG and trust-exact agree to 1e-15 in J.
constexpr double kMinimum = 0.34204705173166283;
constexpr double kWeights[kClasses * kFeatures] = {
    1.0456438793850278,  -0.8548503237842764,  -1.502986799908315, 0.05075590695689248,
    0.18030915316505783, 1.1938734962309088,   0.4584103703703592, -0.9486250220240386,
    -1.2259530325500851, -0.33902317244663177, 1.0445764295379556, 0.8978691150671456};
// Less their mean, which J does not see.
constexpr double kBiases[kClasses] = {0.57945111, -0.62762916, 0.04817806};

class GoldenMinimum : public testing::TestWithParam<OptimizerKind> {};

INSTANTIATE_TEST_SUITE_P(FullBatch, GoldenMinimum,
                         testing::Values(OptimizerKind::kLbfgs, OptimizerKind::kConjugateGradient),
                         [](const auto& tested) {
                           return tested.param == OptimizerKind::kLbfgs ? "Lbfgs"
                                                                        : "ConjugateGradient";
                         });

TEST_P(GoldenMinimum, IsFound) {
  const Topology topology = {.inputs = kFeatures,
                             .layers = {{.units = kClasses, .activation = Activation::kSoftmax}}};
  ThreadPool pool({.threads = 2});
  Objective<double> objective(topology, CostKind::kSoftmaxCrossEntropy, /*lambda=*/1.0, Waves(),
                              pool);
  OptimizerOptions options;
  options.kind = GetParam();
  StoppingOptions stopping;
  stopping.max_iterations = 2000;
  stopping.cost_tolerance = 0.0;
  stopping.gradient_tolerance = 1e-9;
  const Vector<double> zero = Vector<double>::Zero(objective.size());
  const OptimizerResult result = MakeOptimizer(options, Clock::System())
                                     ->Minimize(objective, {.theta = zero}, stopping, {}, nullptr);
  // Features were rounded to float on their way.
  EXPECT_NEAR(result.best_cost, kMinimum, 1e-8) << result.message;
  for (int w = 0; w < kClasses * kFeatures; ++w) {
    EXPECT_NEAR(result.best_theta[w], kWeights[w], 1e-5) << "weight " << w;
  }
  const Vector<double> biases = result.best_theta.tail(kClasses);
  for (int k = 0; k < kClasses; ++k) {
    EXPECT_NEAR(biases[k] - biases.mean(), kBiases[k], 1e-5) << "bias " << k;
  }
}

}  // namespace
}  // namespace mlp

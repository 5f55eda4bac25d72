#include "core/train/objective.h"

#include <atomic>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/random.h"
#include "core/nn/gradient_check.h"
#include "core/nn/initialization.h"

namespace mlp {
namespace {

constexpr CostKind kCosts[] = {CostKind::kSigmoidCrossEntropy, CostKind::kSoftmaxCrossEntropy};

Examples RandomExamples(int rows, int features, int classes, int64_t seed) {
  Random random(seed, 0);
  Examples examples;
  examples.features.resize(rows, features);
  for (float& value : examples.features.reshaped()) {
    value = static_cast<float>(random.Uniform(-1.0, 1.0));
  }
  for (int i = 0; i < rows; ++i) {
    examples.labels.push_back(static_cast<int32_t>(random.Below(static_cast<uint64_t>(classes))));
  }
  return examples;
}

TEST(Objective, CostAndGradientByHand) {
  // The 2-1-2 network of propagation_test.cc at x = (1, 2) with label 0 and again with label 1:
  // sums J = 2 ln(16/3), dW_1 = (ln 3 / 8, ln 3 / 4), db_1 = ln 3 / 8, dW_2 = (3/8, -3/8), db_2 =
  // (1/2, -1/2). Halved for the mean. lambda = 1, m = 2: J gains 1/4 (2 ln^2 3 + 16/9 ln^2 3), the
  // gradient Theta / 2 but for biases.
  const double ln3 = std::log(3.0);
  const std::vector<double> theta = {-ln3, ln3, 0.0, 4.0 / 3.0 * ln3, 0.0, 0.0, -ln3};
  Examples examples;
  examples.features.resize(2, 2);
  examples.features << 1, 2, 1, 2;
  examples.labels = {0, 1};
  const Topology topology = {.inputs = 2, .layers = {{.units = 1}, {.units = 2}}};
  ThreadPool pool({});

  Objective<double> objective(topology, CostKind::kSigmoidCrossEntropy, 1.0, examples, pool);
  ASSERT_EQ(objective.size(), 7);
  std::vector<double> gradient(7, 99.0);
  const double expected_cost = std::log(16.0 / 3.0) + 0.25 * (34.0 / 9.0) * ln3 * ln3;
  EXPECT_NEAR(objective.Evaluate(theta.data(), gradient.data()), expected_cost, 1e-15);
  EXPECT_NEAR(objective.Evaluate(theta.data(), nullptr), expected_cost, 1e-15);
  const std::vector<double> expected = {ln3 / 16 - ln3 / 2,
                                        ln3 / 8 + ln3 / 2,
                                        ln3 / 16,
                                        3.0 / 16 + 2.0 / 3.0 * ln3,
                                        -3.0 / 16,
                                        0.25,
                                        -0.25};
  for (size_t i = 0; i < 7; ++i) EXPECT_NEAR(gradient[i], expected[i], 1e-15) << i;

  Objective<float> in_float(topology, CostKind::kSigmoidCrossEntropy, 1.0, examples, pool);
  EXPECT_NEAR(in_float.Evaluate(theta.data(), gradient.data()), expected_cost, 1e-6);
  for (size_t i = 0; i < 7; ++i) EXPECT_NEAR(gradient[i], expected[i], 1e-6) << i;

  Objective<double> unregularized(topology, CostKind::kSigmoidCrossEntropy, 0.0, examples, pool);
  EXPECT_NEAR(unregularized.Evaluate(theta.data(), gradient.data()), std::log(16.0 / 3.0), 1e-15);
  EXPECT_NEAR(gradient[0], ln3 / 16, 1e-15);
}

TEST(Objective, OfAnIgnorantDigitNetwork) {
  // All weights 0: every output 1/2, so J = 10 ln 2.
  const Examples examples = RandomExamples(300, 400, 10, 1);
  ThreadPool pool({.threads = 2});
  Objective<float> objective({.inputs = 400, .layers = {{.units = 25}, {.units = 10}}},
                             CostKind::kSigmoidCrossEntropy, 1.0, examples, pool);
  const Vector<double> zero = Vector<double>::Zero(objective.size());
  EXPECT_NEAR(objective.Evaluate(zero.data(), nullptr), 10.0 * std::log(2.0), 1e-12);
}

// Of features most of which are 0: what float makes of them goes through lists (SparseInputs), what
// double does through whole products.
TEST(Objective, OfInputsThatAreMostlyZero) {
  for (const std::vector<int>& units : std::vector<std::vector<int>>{
           {30, 4}, {33, 25, 10}, {1, 1, 2}, {64, 64, 3}, {97, 65, 33, 5}, {40, 200, 3}}) {
    Topology topology = {.inputs = units.front(), .layers = {}};
    for (size_t l = 1; l < units.size(); ++l) topology.layers.push_back({.units = units[l]});
    Examples examples = RandomExamples(600, units.front(), units.back(), 3);
    Random random(4, 0);
    for (float& value : examples.features.reshaped()) {
      if (random.Uniform() < 0.8) value = 0.0f;
    }
    for (int i = 0; i < 600; ++i) examples.weights.push_back(static_cast<float>(i % 3));
    const Vector<double> theta = InitialParameters(topology, {}, 7);
    ThreadPool pool({.threads = 2});
    Objective<double> whole(topology, CostKind::kSigmoidCrossEntropy, 1.0, examples, pool);
    Vector<double> expected(theta.size()), gradient(theta.size());
    const double expected_cost = whole.Evaluate(theta.data(), expected.data());

    double first_cost = 0.0;
    Vector<double> first(theta.size());
    for (const int threads : {1, 2, 3, 7}) {
      ThreadPool some({.threads = threads});
      Objective<float> objective(topology, CostKind::kSigmoidCrossEntropy, 1.0, examples, some);
      // Elsewhere first: nothing of it may be left.
      const Vector<double> elsewhere = 2.0 * theta;
      objective.Evaluate(elsewhere.data(), gradient.data());
      const double cost = objective.Evaluate(theta.data(), gradient.data());
      EXPECT_NEAR(cost, expected_cost, 1e-6 * expected_cost) << TopologyName(topology);
      EXPECT_LT((gradient - expected).cwiseAbs().maxCoeff(), 1e-6) << TopologyName(topology);
      EXPECT_NEAR(objective.Evaluate(theta.data(), nullptr), cost, 1e-12 * cost);
      if (threads == 1) {
        first_cost = cost;
        first = gradient;
      }
      EXPECT_EQ(cost, first_cost) << threads << " threads";
      EXPECT_EQ(gradient, first) << threads << " threads";
    }
  }
}

struct SweepCase {
  int depth;  // layers of weights
  Activation activation;
  CostKind cost;
  double lambda;
};

class ObjectiveGradient : public testing::TestWithParam<SweepCase> {};

std::vector<SweepCase> Sweep() {
  std::vector<SweepCase> cases;
  for (int depth = 1; depth <= 4; ++depth) {
    for (const Activation activation :
         {Activation::kSigmoid, Activation::kTanh, Activation::kRelu, Activation::kIdentity}) {
      if (depth == 1 && activation != Activation::kSigmoid) continue;  // has no hidden layer
      for (const CostKind cost : kCosts) {
        for (const double lambda : {0.0, 1.3}) {
          cases.push_back({depth, activation, cost, lambda});
        }
      }
    }
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Sweep, ObjectiveGradient, testing::ValuesIn(Sweep()),
                         [](const auto& tested) {
                           const SweepCase& c = tested.param;
                           return "Depth" + std::to_string(c.depth) +
                                  std::string(ActivationName(c.activation)) +
                                  (c.cost == CostKind::kSigmoidCrossEntropy ? "SigmoidCost"
                                                                            : "SoftmaxCost") +
                                  (c.lambda == 0.0 ? "Plain" : "Regularized");
                         });

TEST_P(ObjectiveGradient, AgreesWithCentralDifferences) {
  const SweepCase& c = GetParam();
  const int hidden_units[] = {6, 4, 5};
  Topology topology = {.inputs = 5, .layers = {}};
  for (int l = 0; l + 1 < c.depth; ++l) {
    topology.layers.push_back({.units = hidden_units[l], .activation = c.activation});
  }
  topology.layers.push_back({.units = 3, .activation = OutputActivation(c.cost)});
  const Examples examples = RandomExamples(9, 5, 3, 42);
  ThreadPool pool({});
  Objective<double> objective(topology, c.cost, c.lambda, examples, pool);
  const Vector<double> theta =
      InitialParameters(topology, {.kind = InitializationKind::kUniform, .epsilon = 0.8}, 17);
  const double error = GradientCheck(
      [&](const Vector<double>& at, Vector<double>* gradient) {
        return objective.Evaluate(at.data(), gradient == nullptr ? nullptr : gradient->data());
      },
      theta, {.step = 1e-3});
  EXPECT_LT(error, 1e-9);
}

TEST(Objective, HasTheSameBitsWithAnyNumberOfThreads) {
  const Topology topology = {
      .inputs = 33, .layers = {{.units = 17, .activation = Activation::kTanh}, {.units = 5}}};
  const Examples examples = RandomExamples(1901, 33, 5, 3);
  const Vector<double> theta = InitialParameters(topology, {}, 5);
  for (const CostKind cost : kCosts) {
    Topology with_output = topology;
    with_output.layers.back().activation = OutputActivation(cost);
    ThreadPool one({.threads = 1});
    Objective<float> reference(with_output, cost, 0.7, examples, one);
    Vector<double> expected(theta.size());
    const double expected_cost = reference.Evaluate(theta.data(), expected.data());
    for (const int threads : {2, 3, 7}) {
      ThreadPool pool({.threads = threads});
      Objective<float> objective(with_output, cost, 0.7, examples, pool);
      // Several times: the order in which threads finish differs.
      for (int repeat = 0; repeat < 20; ++repeat) {
        Vector<double> gradient(theta.size());
        ASSERT_EQ(objective.Evaluate(theta.data(), gradient.data()), expected_cost) << threads;
        ASSERT_EQ(gradient, expected) << threads;
        ASSERT_EQ(objective.Evaluate(theta.data(), nullptr), expected_cost) << threads;
      }
    }
  }
}

// The gradients of all blocks have no room at once: they are added up in several goes, of as many
// blocks as there are threads.
TEST(Objective, HasTheSameBitsWhereGradientsAreLarge) {
  const Topology topology = {
      .inputs = 10, .layers = {{.units = 100'000, .activation = Activation::kTanh}, {.units = 2}}};
  const Examples examples = RandomExamples(190, 10, 2, 3);
  const Vector<double> theta = InitialParameters(topology, {}, 5);
  ThreadPool one({.threads = 1});
  Objective<float> reference(topology, CostKind::kSigmoidCrossEntropy, 0.7, examples, one);
  Vector<double> expected(theta.size()), gradient(theta.size());
  const double expected_cost = reference.Evaluate(theta.data(), expected.data());
  {
    Objective<double> in_double(topology, CostKind::kSigmoidCrossEntropy, 0.7, examples, one);
    EXPECT_NEAR(in_double.Evaluate(theta.data(), gradient.data()), expected_cost,
                1e-6 * expected_cost);
    EXPECT_LT((gradient - expected).cwiseAbs().maxCoeff(), 1e-5);
  }
  for (const int threads : {2, 7}) {
    ThreadPool pool({.threads = threads});
    Objective<float> objective(topology, CostKind::kSigmoidCrossEntropy, 0.7, examples, pool);
    EXPECT_EQ(objective.Evaluate(theta.data(), gradient.data()), expected_cost) << threads;
    EXPECT_EQ(gradient, expected) << threads;
  }
}

TEST(Objective, IsTheMeanOverBlocksOfAnySize) {
  // The first 700 rows and the last 301 in separate objectives, weighted, give the whole.
  const Topology topology = {.inputs = 6, .layers = {{.units = 4}, {.units = 3}}};
  const Examples all = RandomExamples(1001, 6, 3, 8);
  const Examples first = {.features = all.features.topRows(700),
                          .labels = {all.labels.begin(), all.labels.begin() + 700}};
  const Examples last = {.features = all.features.bottomRows(301),
                         .labels = {all.labels.begin() + 700, all.labels.end()}};
  const Vector<double> theta = InitialParameters(topology, {}, 5);
  ThreadPool pool({.threads = 2});
  const auto evaluate = [&](const Examples& examples, Vector<double>& gradient) {
    gradient.resize(theta.size());
    return Objective<double>(topology, CostKind::kSigmoidCrossEntropy, 0.0, examples, pool)
        .Evaluate(theta.data(), gradient.data());
  };
  Vector<double> whole, part_1, part_2;
  const double cost = evaluate(all, whole);
  const double parts = (700.0 * evaluate(first, part_1) + 301.0 * evaluate(last, part_2)) / 1001.0;
  EXPECT_NEAR(cost, parts, 1e-13);
  EXPECT_LT((whole - (700.0 * part_1 + 301.0 * part_2) / 1001.0).norm(), 1e-13);
}

TEST(Objective, AWeightOfTwoIsAnExampleTwice) {
  const Topology topology = {.inputs = 5, .layers = {{.units = 4}, {.units = 3}}};
  Examples twice = RandomExamples(40, 5, 3, 8);
  Examples weighted = {.features = twice.features.topRows(30),
                       .labels = {twice.labels.begin(), twice.labels.begin() + 30},
                       .weights = std::vector<float>(30, 1.0f)};
  for (int i = 0; i < 10; ++i) {  // the last ten are the first ten again
    twice.features.row(30 + i) = twice.features.row(i);
    twice.labels[static_cast<size_t>(30 + i)] = twice.labels[static_cast<size_t>(i)];
    weighted.weights[static_cast<size_t>(i)] = 2.0f;
  }
  ThreadPool pool({});
  for (const CostKind cost : kCosts) {
    Topology with_output = topology;
    with_output.layers.back().activation = OutputActivation(cost);
    const Vector<double> theta = InitialParameters(with_output, {}, 5);
    Vector<double> expected(theta.size());
    Vector<double> gradient(theta.size());
    Objective<double> of_twice(with_output, cost, 0.0, twice, pool);
    Objective<double> of_weighted(with_output, cost, 0.0, weighted, pool);
    // Sums, for the means are over 40 and 30.
    const double sum = 40.0 * of_twice.Evaluate(theta.data(), expected.data());
    EXPECT_NEAR(30.0 * of_weighted.Evaluate(theta.data(), gradient.data()), sum, 1e-12);
    EXPECT_NEAR(30.0 * of_weighted.Evaluate(theta.data(), nullptr), sum, 1e-12);
    EXPECT_LT((30.0 * gradient - 40.0 * expected).norm(), 1e-12);
  }
}

TEST(Objective, EndsWithinABlockWhereItIsInterrupted) {
  const Examples examples = RandomExamples(5000, 8, 3, 1);
  const Topology topology = {.inputs = 8, .layers = {{.units = 4}, {.units = 3}}};
  const Vector<double> theta = InitialParameters(topology, {}, 1);
  for (const int threads : {1, 3}) {
    ThreadPool pool({.threads = threads});
    Objective<float> objective(topology, CostKind::kSigmoidCrossEntropy, 1.0, examples, pool);
    const double undisturbed = objective.Evaluate(theta.data(), nullptr);
    std::atomic<int> asked = 0;
    objective.InterruptWhen([&asked] { return ++asked > 2; });
    Vector<double> gradient(objective.size());
    EXPECT_TRUE(std::isnan(objective.Evaluate(theta.data(), gradient.data())));
    EXPECT_GT(asked, 2);  // each block asks, so the blocks after the second were skipped
    objective.InterruptWhen(nullptr);
    EXPECT_EQ(objective.Evaluate(theta.data(), gradient.data()), undisturbed);
  }
}

TEST(Objective, OfANetworkThatOverflowsIsNotFinite) {
  const Topology topology = {.inputs = 2,
                             .layers = {{.units = 2, .activation = Activation::kRelu},
                                        {.units = 2, .activation = Activation::kSoftmax}}};
  const Examples examples = RandomExamples(3, 2, 2, 1);
  ThreadPool pool({});
  Objective<float> objective(topology, CostKind::kSoftmaxCrossEntropy, 0.0, examples, pool);
  const Vector<double> huge = Vector<double>::Constant(objective.size(), 3e38);
  Vector<double> gradient(objective.size());
  EXPECT_FALSE(std::isfinite(objective.Evaluate(huge.data(), gradient.data())));
}

}  // namespace
}  // namespace mlp

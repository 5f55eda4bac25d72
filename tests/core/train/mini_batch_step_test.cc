#include "core/train/mini_batch_step.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <iterator>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/nn/initialization.h"
#include "core/nn/network.h"
#include "core/train/sparse_layer_step.h"
#include "tests/core/train/naive_step.h"
#include "tests/core/train/random_batch.h"

namespace mlp {
namespace {

using Data = RandomBatch;

Data RandomData(const Topology& topology, int64_t rows, bool weighted, int64_t seed) {
  return Data(topology, rows, /*share=*/1.0, weighted, seed);
}

TrainingConfig Config(std::vector<int> units, Activation activation) {
  TrainingConfig config;
  config.topology.inputs = units.front();
  for (size_t l = 1; l < units.size(); ++l) {
    config.topology.layers.push_back({.units = units[l], .activation = activation});
  }
  config.cost = CostKind::kSoftmaxCrossEntropy;
  config.topology.layers.back().activation = Activation::kSoftmax;
  config.optimizer.kind = OptimizerKind::kSgd;
  config.optimizer.batch_size = 40;
  return config;
}

VectorF StartOf(const TrainingConfig& config) {
  VectorF theta =
      InitialParameters(config.topology, config.initialization, config.seed).cast<float>();
  Random random(17, 0);
  for (float& value : theta) value += static_cast<float>(random.Uniform(-0.05, 0.05));
  return theta;
}

struct StepCase {
  std::string name;
  TrainingConfig config;
  bool weighted = false;
};

std::vector<StepCase> Cases() {
  std::vector<StepCase> cases;
  const auto add = [&](std::string name, std::vector<int> units, Activation activation) {
    cases.push_back({std::move(name), Config(std::move(units), activation)});
    return &cases.back();
  };
  add("NoHiddenLayer", {7, 3}, Activation::kTanh);
  add("Tanh", {33, 21, 10}, Activation::kTanh);
  add("Relu", {33, 21, 10}, Activation::kRelu);
  add("Identity", {9, 5, 4}, Activation::kIdentity);
  add("Sigmoid", {16, 32, 2}, Activation::kSigmoid);
  add("FourOddLayers", {19, 37, 1, 23, 18, 5}, Activation::kTanh);
  add("Wide", {70, 45, 65, 17}, Activation::kRelu);
  StepCase* c = add("SigmoidCost", {12, 17, 3}, Activation::kSigmoid);
  c->config.cost = CostKind::kSigmoidCrossEntropy;
  c->config.topology.layers.back().activation = Activation::kSigmoid;
  add("Weighted", {12, 17, 3}, Activation::kTanh)->weighted = true;
  c = add("Nesterov", {12, 17, 3}, Activation::kTanh);
  c->config.optimizer.nesterov = true;
  c->config.optimizer.weight_decay = 0.1;
  c = add("Penalties", {12, 17, 3}, Activation::kTanh);
  c->config.lambda = 3.0;
  c->config.regularization.l1 = 2.0;
  c = add("Clipped", {12, 17, 3}, Activation::kTanh);
  c->config.optimizer.max_gradient_norm = 0.05;
  c->config.lambda = 3.0;
  c = add("MaxNorm", {12, 17, 3}, Activation::kTanh);
  c->config.regularization.max_norm = 0.8;
  c = add("Adam", {12, 17, 3}, Activation::kTanh);
  c->config.optimizer.kind = OptimizerKind::kAdam;
  c->config.lambda = 3.0;
  c = add("AdamW", {12, 17, 3}, Activation::kTanh);
  c->config.optimizer.kind = OptimizerKind::kAdamW;
  c->config.optimizer.weight_decay = 0.1;
  c->config.optimizer.max_gradient_norm = 0.05;
  c = add("Dropout", {25, 40, 33, 4}, Activation::kTanh);
  c->config.regularization.dropout = {0.5, 0.25};
  c->config.regularization.input_dropout = 0.2;
  c->weighted = true;
  return cases;
}

class MiniBatchStepAgainstNaive : public testing::TestWithParam<StepCase> {};

INSTANTIATE_TEST_SUITE_P(Cases, MiniBatchStepAgainstNaive, testing::ValuesIn(Cases()),
                         [](const auto& tested) { return tested.param.name; });

// Whole batches, the short last one of an epoch, and a single row.
constexpr int64_t kRows[] = {40, 33, 1, 32, 40, 15};

double RateOf(const TrainingConfig& config) {
  return config.optimizer.kind == OptimizerKind::kSgd ? 0.1 : 0.003;
}

void ExpectStaysWithNaive(const StepCase& tested, const TileKernel& kernel) {
  const TrainingConfig& config = tested.config;
  ThreadPool pool({.threads = 2});
  MiniBatchStep step(config, 200, pool, kernel, /*fewest_for_threads=*/0);
  MiniBatchState state = step.Start(StartOf(config));
  NaiveStep naive(config, 200, {state.theta.begin(), state.theta.end()});
  int64_t seed = 1;
  for (const int64_t rows : kRows) {
    const Data data = RandomData(config.topology, rows, tested.weighted, seed++);
    const MiniBatchStepResult expected = naive.Run(data.batch(), RateOf(config));
    const MiniBatchStepResult result = step.Run(data.batch(), RateOf(config), state);
    step.Settle(state);
    EXPECT_NEAR(result.cost_sum, expected.cost_sum, 1e-5 * expected.cost_sum);
    EXPECT_NEAR(result.gradient_norm, expected.gradient_norm, 1e-5 * expected.gradient_norm);
    for (Eigen::Index p = 0; p < state.theta.size(); ++p) {
      ASSERT_NEAR(state.theta[p], naive.theta[static_cast<size_t>(p)], 2e-5)
          << rows << " rows, step " << state.steps << ", parameter " << p;
    }
  }
  EXPECT_EQ(state.steps, std::ssize(kRows));
}

TEST_P(MiniBatchStepAgainstNaive, StaysWithItForSeveralSteps) {
  ExpectStaysWithNaive(GetParam(), BestTileKernel());
}

// What every CPU without AVX-512 uses.
TEST_P(MiniBatchStepAgainstNaive, StaysWithItThroughBlas) {
  ExpectStaysWithNaive(GetParam(), BlasTileKernel());
}

// All that a run of steps gives, to the bit.
std::vector<float> Trajectory(const StepCase& tested, int threads, const TileKernel& kernel) {
  const TrainingConfig& config = tested.config;
  ThreadPool pool({.threads = threads});
  MiniBatchStep step(config, 200, pool, kernel, /*fewest_for_threads=*/0);
  MiniBatchState state = step.Start(StartOf(config));
  std::vector<float> all;
  int64_t seed = 1;
  for (const int64_t rows : kRows) {
    const Data data = RandomData(config.topology, rows, tested.weighted, seed++);
    const MiniBatchStepResult result = step.Run(data.batch(), RateOf(config), state);
    step.Settle(state);
    for (const double value : {result.cost_sum, result.gradient_norm}) {
      // Two floats have the bits of a double and some more.
      all.push_back(static_cast<float>(value));
      all.push_back(static_cast<float>(value - static_cast<double>(all.back())));
    }
  }
  for (const VectorF* part : {&state.theta, &state.velocity, &state.mean_square}) {
    all.insert(all.end(), part->begin(), part->end());
  }
  return all;
}

// Where the products of a step were made.
std::atomic<std::thread::id> caller;
std::atomic<bool> others_helped = false;

TEST(MiniBatchStep, IsMadeByTheCallerAloneWhereItIsShort) {
  TileKernel kernel = BestTileKernel();
  kernel.multiply = [](const TileProduct& product) {
    if (std::this_thread::get_id() != caller) others_helped = true;
    for (int i = 0; i < 100; ++i) std::this_thread::yield();  // time for others to wake and help
    BestTileKernel().multiply(product);
  };
  TrainingConfig config;
  config.topology = {100, {{50, Activation::kRelu}, {10, Activation::kSoftmax}}};
  config.cost = CostKind::kSoftmaxCrossEntropy;
  config.optimizer.kind = OptimizerKind::kSgd;
  config.optimizer.batch_size = 64;
  ThreadPool pool({.threads = 4});
  MiniBatchStep step(config, 200, pool, kernel);
  MiniBatchState state = step.Start(StartOf(config));
  const Data data = RandomData(config.topology, 64, /*weighted=*/false, 1);
  caller = std::this_thread::get_id();
  for (int i = 0; i < 10; ++i) step.Run(data.batch(), 0.01, state);
  EXPECT_FALSE(others_helped);
}

TEST_P(MiniBatchStepAgainstNaive, HasTheSameBitsWithAnyNumberOfThreads) {
  for (const TileKernel* kernel : {&BestTileKernel(), &BlasTileKernel()}) {
    const std::vector<float> expected = Trajectory(GetParam(), 1, *kernel);
    for (const int threads : {2, 3, 7}) {
      EXPECT_EQ(Trajectory(GetParam(), threads, *kernel), expected) << threads << " threads";
    }
  }
}

// A step of rate r without momentum is -r times the gradient: against central differences of the
// cost that steps of rate 0 report.
TEST(MiniBatchStep, MovesAgainstTheGradientOfItsOwnCost) {
  TrainingConfig config = Config({5, 7, 6, 3}, Activation::kTanh);
  config.optimizer.momentum = 0.0;
  config.regularization.dropout = {0.3, 0.3};
  config.regularization.input_dropout = 0.2;
  constexpr int64_t kBatchRows = 12;
  const Data data = RandomData(config.topology, kBatchRows, /*weighted=*/true, 3);
  ThreadPool pool({.threads = 2});
  MiniBatchStep step(config, 200, pool, BestTileKernel(), /*fewest_for_threads=*/0);
  const VectorF start = StartOf(config);
  const auto cost = [&](Eigen::Index p, float by) {
    MiniBatchState state = step.Start(start);
    state.theta[p] += by;
    return step.Run(data.batch(), 0.0, state).cost_sum / kBatchRows;
  };
  MiniBatchState state = step.Start(start);
  step.Run(data.batch(), 1.0, state);
  step.Settle(state);
  for (Eigen::Index p = 0; p < start.size(); ++p) {
    constexpr float kStep = 0.02f;
    const double slope = (cost(p, kStep) - cost(p, -kStep)) / (2.0 * static_cast<double>(kStep));
    EXPECT_NEAR(start[p] - state.theta[p], slope, 3e-4) << "parameter " << p;
  }
}

TEST(MiniBatchStep, DrawsDropoutFromTheSeedAndTheStep) {
  TrainingConfig config = Config({20, 30, 3}, Activation::kTanh);
  config.regularization.dropout = {0.5};
  const Data data = RandomData(config.topology, 40, false, 3);
  ThreadPool pool({.threads = 2});
  const auto cost = [&](int64_t seed, int64_t steps) {
    config.seed = seed;
    MiniBatchStep step(config, 200, pool, BestTileKernel(), /*fewest_for_threads=*/0);
    TrainingConfig start = config;
    start.seed = 1;
    MiniBatchState state = step.Start(StartOf(start));
    state.steps = steps;
    return step.Run(data.batch(), 0.0, state).cost_sum;
  };
  EXPECT_EQ(cost(1, 0), cost(1, 0));
  EXPECT_NE(cost(1, 0), cost(1, 1));
  EXPECT_NE(cost(1, 0), cost(2, 0));
}

// Inverted dropout leaves a unit's mean as it is: with identity units the mean of many masks'
// logits is the logit, so at a start of small weights the mean cost is near the cost without
// dropout.
TEST(MiniBatchStep, KeepsTheMeanActivationUnderDropout) {
  TrainingConfig config = Config({20, 60, 3}, Activation::kIdentity);
  const Data data = RandomData(config.topology, 40, false, 3);
  ThreadPool pool({.threads = 2});
  const VectorF theta = 0.2f * StartOf(config);
  const auto mean_cost = [&](int repeats) {
    MiniBatchStep step(config, 200, pool, BestTileKernel(), /*fewest_for_threads=*/0);
    MiniBatchState state = step.Start(theta);
    double sum = 0.0;
    for (int i = 0; i < repeats; ++i) sum += step.Run(data.batch(), 0.0, state).cost_sum;
    return sum / repeats / 40;
  };
  const double plain = mean_cost(1);
  config.regularization.dropout = {0.5};
  EXPECT_NEAR(mean_cost(200), plain, 5e-3);
}

TEST(MiniBatchStep, HoldsMaxNormAfterEveryStep) {
  TrainingConfig config = Config({30, 25, 4}, Activation::kRelu);
  config.regularization.max_norm = 0.7;
  ThreadPool pool({.threads = 2});
  MiniBatchStep step(config, 200, pool, BestTileKernel(), /*fewest_for_threads=*/0);
  MiniBatchState state = step.Start(StartOf(config));
  const ParameterLayout layout(config.topology);
  bool reached = false;
  for (int64_t s = 0; s < 20; ++s) {
    step.Run(RandomData(config.topology, 40, false, s).batch(), 0.3, state);
    step.Settle(state);
    for (const ParameterLayout::Layer& layer : layout.layers) {
      for (int64_t u = 0; u < layer.outputs; ++u) {
        const float norm =
            state.theta.segment(layer.weights + u * layer.inputs, layer.inputs).norm();
        ASSERT_LE(norm, 0.7f * (1.0f + 1e-6f));
        reached = reached || norm > 0.69f;
      }
    }
  }
  EXPECT_TRUE(reached);
}

TEST(MiniBatchStep, L1DrivesWeightsToZero) {
  TrainingConfig config = Config({30, 4}, Activation::kTanh);
  config.optimizer.momentum = 0.0;
  const auto small = [&](double l1) {
    config.regularization.l1 = l1;
    ThreadPool pool({.threads = 2});
    MiniBatchStep step(config, 40, pool, BestTileKernel(), /*fewest_for_threads=*/0);
    MiniBatchState state = step.Start(StartOf(config));
    const Data data = RandomData(config.topology, 40, false, 3);
    for (int s = 0; s < 300; ++s) step.Run(data.batch(), 0.05, state);
    step.Settle(state);
    return (state.theta.head(120).array().abs() < 0.01f).count();
  };
  EXPECT_GT(small(2.0), small(0.0) + 40);
}

// The weight of a row is as many rows as it says.
TEST(MiniBatchStep, CountsARowOfWeightTwoTwice) {
  const TrainingConfig config = Config({12, 9, 3}, Activation::kTanh);
  Data data = RandomData(config.topology, 4, false, 3);
  data.weights = {2.0f, 1.0f, 0.0f, 1.0f};
  Data copied = data;
  copied.weights.clear();
  copied.labels[2] = data.labels[0];
  std::copy_n(data.inputs.begin(), 12, copied.inputs.begin() + 24);
  ThreadPool pool({.threads = 1});
  MiniBatchStep step(config, 200, pool, BestTileKernel(), /*fewest_for_threads=*/0);
  MiniBatchState weighted = step.Start(StartOf(config));
  MiniBatchState doubled = weighted;
  const double cost = step.Run(data.batch(), 0.1, weighted).cost_sum;
  step.Settle(weighted);
  EXPECT_NEAR(cost, step.Run(copied.batch(), 0.1, doubled).cost_sum, 1e-6);
  step.Settle(doubled);
  EXPECT_LT((weighted.theta - doubled.theta).cwiseAbs().maxCoeff(), 1e-6f);
}

TEST(MiniBatchStep, SaysWhereWeightsAreNotFinite) {
  const TrainingConfig config = Config({12, 9, 3}, Activation::kTanh);
  const Data data = RandomData(config.topology, 40, false, 3);
  ThreadPool pool({.threads = 2});
  MiniBatchStep step(config, 200, pool, BestTileKernel(), /*fewest_for_threads=*/0);
  MiniBatchState state = step.Start(StartOf(config));
  state.theta[5] = std::numeric_limits<float>::quiet_NaN();
  const MiniBatchStepResult result = step.Run(data.batch(), 0.1, state);
  EXPECT_FALSE(std::isfinite(result.cost_sum));
  EXPECT_FALSE(std::isfinite(result.gradient_norm));
}

TEST(MiniBatchStep, TellsItsMemory) {
  TrainingConfig config = Config({784, 800, 10}, Activation::kRelu);
  config.optimizer.batch_size = 128;
  // Inputs twice, hidden and output units thrice, rounded up to whole panels.
  const int64_t values = (2 * 800 + 3 * 800 + 3 * 32) * 128 * 4;
  const int64_t dense = MiniBatchStep::Bytes(config, 2, BlasTileKernel());
  EXPECT_GT(dense, values / 2);
  EXPECT_LT(dense, 2 * values);
  // The first layer's weights and velocities transposed, and values and columns of the inputs
  // twice.
  const bool is_sparse = SparseLayerStep::Supports(BestTileKernel());
  const int64_t transposed = is_sparse ? 784 * 832 * 4 : 0;
  const int64_t sparse = is_sparse ? 2 * transposed + 2 * 784 * 128 * (4 + 4) : 0;
  const int64_t bytes = MiniBatchStep::Bytes(config, 2);
  EXPECT_GT(bytes, values / 2 + sparse);
  EXPECT_LT(bytes, 2 * values + sparse);
  config.optimizer.max_gradient_norm = 1.0;
  const int64_t clipping = MiniBatchStep::Bytes(config, 2);
  EXPECT_EQ(clipping - bytes, 4 * ParameterCount(config.topology) + transposed);
  config.optimizer.kind = OptimizerKind::kAdam;
  EXPECT_EQ(MiniBatchStep::Bytes(config, 2) - clipping, transposed);
}

}  // namespace
}  // namespace mlp

// Steps on inputs that are mostly 0 against the same steps by whole products, to the bit.
#include "core/train/sparse_layer_step.h"

#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/nn/initialization.h"
#include "core/train/mini_batch_step.h"
#include "tests/core/train/naive_step.h"
#include "tests/core/train/random_batch.h"

namespace mlp {
namespace {

constexpr int kBatchRows = 40;

struct SparseCase {
  std::string name;
  TrainingConfig config;
  // Of the inputs of the batches in turn, the share that is not 0.
  std::vector<double> shares = {0.2};
};

TrainingConfig Config(std::vector<int> units) {
  TrainingConfig config;
  config.topology.inputs = units.front();
  for (size_t l = 1; l < units.size(); ++l) {
    config.topology.layers.push_back({.units = units[l], .activation = Activation::kRelu});
  }
  config.topology.layers.back().activation = Activation::kSoftmax;
  config.cost = CostKind::kSoftmaxCrossEntropy;
  config.optimizer.kind = OptimizerKind::kSgd;
  config.optimizer.batch_size = kBatchRows;
  return config;
}

std::vector<SparseCase> Cases() {
  std::vector<SparseCase> cases;
  const auto add = [&](std::string name, std::vector<int> units) {
    cases.push_back({std::move(name), Config(std::move(units))});
    return &cases.back();
  };
  add("NoHiddenLayer", {50, 10});
  add("OneInputOneUnit", {1, 1, 3});
  add("WholePanels", {64, 128, 4});
  add("OddSizes", {97, 65, 33, 10});
  add("ManyPanels", {45, 600, 3});
  add("AllZeros", {70, 65, 3})->shares = {0.0};
  add("NearlyDense", {70, 65, 3})->shares = {0.26};
  // Whole products change Theta between steps that skip zeros.
  add("Changing", {70, 65, 3})->shares = {0.1, 1.0, 0.2, 0.2, 0.9, 0.0};
  SparseCase* c = add("Nesterov", {70, 65, 3});
  c->config.optimizer.nesterov = true;
  c->config.optimizer.weight_decay = 0.1;
  c = add("Penalties", {70, 65, 3});
  c->config.lambda = 3.0;
  c->config.regularization.l1 = 2.0;
  c = add("Clipped", {70, 65, 3});
  c->config.optimizer.max_gradient_norm = 0.05;
  c->config.lambda = 3.0;
  c = add("MaxNorm", {70, 65, 3});
  c->config.regularization.max_norm = 0.8;
  c = add("ClippedMaxNorm", {70, 65, 3});
  c->config.optimizer.max_gradient_norm = 0.5;
  c->config.regularization.max_norm = 0.8;
  c = add("Adam", {70, 65, 3});
  c->config.optimizer.kind = OptimizerKind::kAdam;
  c->config.lambda = 3.0;
  c = add("AdamWClipped", {70, 65, 3});
  c->config.optimizer.kind = OptimizerKind::kAdamW;
  c->config.optimizer.weight_decay = 0.1;
  c->config.optimizer.max_gradient_norm = 0.05;
  c = add("Dropout", {70, 65, 33, 3});
  c->config.regularization.dropout = {0.5, 0.25};
  c->config.regularization.input_dropout = 0.2;
  // Only with dropout are there zeros enough.
  c = add("DropoutOfDenseInputs", {70, 65, 3});
  c->config.regularization.input_dropout = 0.8;
  c->shares = {1.0};
  return cases;
}

using Data = RandomBatch;

Data RandomData(const Topology& topology, int64_t rows, double share, int64_t seed) {
  return Data(topology, rows, share, /*weighted=*/true, seed);
}

VectorF StartOf(const TrainingConfig& config) {
  VectorF theta =
      InitialParameters(config.topology, config.initialization, config.seed).cast<float>();
  Random random(17, 0);
  for (float& value : theta) value += static_cast<float>(random.Uniform(-0.05, 0.05));
  return theta;
}

double RateOf(const TrainingConfig& config) {
  return config.optimizer.kind == OptimizerKind::kSgd ? 0.1 : 0.003;
}

// Whole batches, the short last one of an epoch, and a single row.
constexpr int64_t kRows[] = {40, 33, 1, 32, 40, 15};

// What the steps give, bit by bit.
std::string Trajectory(const SparseCase& tested, int threads, const TileKernel& kernel) {
  ThreadPool pool({.threads = threads});
  MiniBatchStep step(tested.config, 200, pool, kernel, /*fewest_for_threads=*/0);
  MiniBatchState state = step.Start(StartOf(tested.config));
  std::string bits;
  const auto add = [&bits](const void* values, size_t size) {
    bits.append(static_cast<const char*>(values), size);
  };
  for (size_t s = 0; s < 2 * std::size(kRows); ++s) {
    const Data data = RandomData(tested.config.topology, kRows[s % std::size(kRows)],
                                 tested.shares[s % tested.shares.size()], static_cast<int64_t>(s));
    const MiniBatchStepResult result = step.Run(data.batch(), RateOf(tested.config), state);
    add(&result.cost_sum, sizeof(double));
    add(&result.gradient_norm, sizeof(double));
    // Weights stay where they are for some steps, and are fetched back for others.
    if (s % 3 == 0) continue;
    step.Settle(state);
    for (const VectorF* part : {&state.theta, &state.velocity, &state.mean_square}) {
      add(part->data(), static_cast<size_t>(part->size()) * sizeof(float));
    }
  }
  return bits;
}

class SparseLayerStepIn : public testing::TestWithParam<SparseCase> {
 protected:
  void SetUp() override {
    if (!SparseLayerStep::Supports(BestTileKernel())) GTEST_SKIP() << "no AVX-512 here";
  }
};

INSTANTIATE_TEST_SUITE_P(Cases, SparseLayerStepIn, testing::ValuesIn(Cases()),
                         [](const auto& tested) { return tested.param.name; });

TEST_P(SparseLayerStepIn, HasTheBitsOfWholeProductsWithAnyNumberOfThreads) {
  // Another kernel as far as SparseLayerStep knows.
  const TileKernel dense = BestTileKernel();
  ASSERT_FALSE(SparseLayerStep::Supports(dense));
  const std::string expected = Trajectory(GetParam(), 1, dense);
  for (const int threads : {1, 2, 3, 7}) {
    // Not EXPECT_EQ, which would print them.
    EXPECT_TRUE(Trajectory(GetParam(), threads, BestTileKernel()) == expected)
        << threads << " threads";
  }
}

TEST_P(SparseLayerStepIn, StaysWithTheNaiveStep) {
  const TrainingConfig& config = GetParam().config;
  ThreadPool pool({.threads = 2});
  MiniBatchStep step(config, 200, pool, BestTileKernel(), /*fewest_for_threads=*/0);
  MiniBatchState state = step.Start(StartOf(config));
  NaiveStep naive(config, 200, {state.theta.begin(), state.theta.end()});
  for (size_t s = 0; s < std::size(kRows); ++s) {
    const Data data =
        RandomData(config.topology, kRows[s], GetParam().shares[s % GetParam().shares.size()],
                   static_cast<int64_t>(s));
    const MiniBatchStepResult expected = naive.Run(data.batch(), RateOf(config));
    const MiniBatchStepResult result = step.Run(data.batch(), RateOf(config), state);
    step.Settle(state);
    EXPECT_NEAR(result.cost_sum, expected.cost_sum, 1e-5 * expected.cost_sum);
    EXPECT_NEAR(result.gradient_norm, expected.gradient_norm, 1e-5 * expected.gradient_norm);
    for (Eigen::Index p = 0; p < state.theta.size(); ++p) {
      ASSERT_NEAR(state.theta[p], naive.theta[static_cast<size_t>(p)], 2e-5)
          << "step " << state.steps << ", parameter " << p;
    }
  }
}

// One MiniBatchStep for two trainings, the second from weights of its own in the same memory.
TEST(SparseLayerStep, SeesThatThetaWasReplaced) {
  const TrainingConfig config = Config({70, 65, 3});
  const Data data = RandomData(config.topology, kBatchRows, 0.2, 3);
  ThreadPool pool({.threads = 2});
  const VectorF other = 0.5f * StartOf(config);
  MiniBatchStep fresh(config, 200, pool);
  MiniBatchState expected = fresh.Start(other);
  fresh.Run(data.batch(), 0.1, expected);
  fresh.Settle(expected);

  MiniBatchStep step(config, 200, pool, BestTileKernel(), /*fewest_for_threads=*/0);
  MiniBatchState state = step.Start(StartOf(config));
  for (int s = 0; s < 3; ++s) step.Run(data.batch(), 0.1, state);
  step.Settle(state);
  const float* const memory = state.theta.data();
  state.theta = other;
  state.velocity.setZero();
  state.steps = 0;
  ASSERT_EQ(state.theta.data(), memory);
  step.Run(data.batch(), 0.1, state);
  step.Settle(state);
  EXPECT_EQ(state.theta, expected.theta);
}

TEST(SparseLayerStep, PaysWhereMostInputsAreZero) {
  const ParameterLayout layout({.inputs = 100, .layers = {{.units = 3}}});
  const SparseLayerStep step(layout.layers[0], nullptr, Config({100, 3}).optimizer, 32);
  const Dropout none(0.0, 1, 0, 0), most_left_out(0.6, 1, 0, 0);
  std::vector<float> inputs(100 * kBatchRows, 0.0f);
  EXPECT_TRUE(step.Pays(inputs.data(), kBatchRows, none));
  for (size_t i = 0; i < inputs.size(); i += 5) inputs[i] = 1.0f;
  EXPECT_TRUE(step.Pays(inputs.data(), kBatchRows, none));
  for (size_t i = 0; i < inputs.size(); i += 2) inputs[i] = 1.0f;
  EXPECT_FALSE(step.Pays(inputs.data(), kBatchRows, none));
  EXPECT_TRUE(step.Pays(inputs.data(), kBatchRows, most_left_out));
  std::fill(inputs.begin(), inputs.end(), 1.0f);
  EXPECT_FALSE(step.Pays(inputs.data(), kBatchRows, most_left_out));
}

}  // namespace
}  // namespace mlp

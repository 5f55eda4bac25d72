#include "core/train/mini_batch_step.h"

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/random.h"
#include "core/nn/initialization.h"
#include "core/nn/network.h"
#include "tests/core/train/naive_step.h"

namespace mlp {
namespace {

struct Data {
  std::vector<float> inputs;
  std::vector<int32_t> labels;
  std::vector<float> weights;

  MiniBatch batch() const { return {inputs.data(), labels, weights}; }
};

Data RandomData(const Topology& topology, int64_t rows, bool weighted, int64_t seed) {
  Random random(seed, 0);
  Data data;
  for (int64_t i = 0; i < rows * topology.inputs; ++i) {
    data.inputs.push_back(static_cast<float>(random.Uniform(-1.0, 1.0)));
  }
  for (int64_t i = 0; i < rows; ++i) {
    data.labels.push_back(
        static_cast<int32_t>(random.Below(static_cast<uint64_t>(topology.outputs()))));
    if (weighted) data.weights.push_back(static_cast<float>(random.Uniform(0.2, 3.0)));
  }
  return data;
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

TEST_P(MiniBatchStepAgainstNaive, StaysWithItForSeveralSteps) {
  const TrainingConfig& config = GetParam().config;
  ThreadPool pool({.threads = 2});
  MiniBatchStep step(config, 200, pool);
  MiniBatchState state = step.Start(StartOf(config));
  NaiveStep naive(config, 200, {state.theta.begin(), state.theta.end()});
  const bool is_sgd = config.optimizer.kind == OptimizerKind::kSgd;
  int64_t seed = 1;
  for (const int64_t rows : {40, 33, 1, 32, 40, 15}) {
    const Data data = RandomData(config.topology, rows, GetParam().weighted, seed++);
    const double rate = is_sgd ? 0.1 : 0.003;
    const MiniBatchStepResult expected = naive.Run(data.batch(), rate);
    const MiniBatchStepResult result = step.Run(data.batch(), rate, state);
    EXPECT_NEAR(result.cost_sum, expected.cost_sum, 1e-5 * expected.cost_sum);
    EXPECT_NEAR(result.gradient_norm, expected.gradient_norm, 1e-5 * expected.gradient_norm);
    for (Eigen::Index p = 0; p < state.theta.size(); ++p) {
      ASSERT_NEAR(state.theta[p], naive.theta[static_cast<size_t>(p)], 2e-5)
          << rows << " rows, step " << state.steps << ", parameter " << p;
    }
  }
  EXPECT_EQ(state.steps, 6);
}

}  // namespace
}  // namespace mlp

// MiniBatchStep against trajectories that PyTorch computed: tests/golden/make_step_golden.py.
#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/train/mini_batch_step.h"

namespace mlp {
namespace {

nlohmann::json ReadGolden() {
  std::ifstream file(std::string(MLPD_SOURCE_DIR) + "/tests/golden/mini_batch_steps.json");
  return nlohmann::json::parse(file);
}

TrainingConfig ConfigOf(const nlohmann::json& golden, const nlohmann::json& tested) {
  TrainingConfig config;
  const bool sigmoid = tested.value("cost", "softmax") == "sigmoid";
  config.cost = sigmoid ? CostKind::kSigmoidCrossEntropy : CostKind::kSoftmaxCrossEntropy;
  config.topology = {golden["layers"][0],
                     {{golden["layers"][1], Activation::kTanh},
                      {golden["layers"][2], OutputActivation(config.cost)}}};
  config.lambda = tested.value("lambda", 0.0);
  config.regularization.l1 = tested.value("l1", 0.0);
  OptimizerOptions& optimizer = config.optimizer;
  const std::string kind = tested["optimizer"];
  optimizer.kind = kind == "sgd"    ? OptimizerKind::kSgd
                   : kind == "adam" ? OptimizerKind::kAdam
                                    : OptimizerKind::kAdamW;
  optimizer.batch_size = golden["batch"];
  optimizer.momentum = 0.9;
  optimizer.nesterov = tested.value("nesterov", false);
  optimizer.weight_decay = tested.value("weight_decay", 0.0);
  optimizer.max_gradient_norm = tested.value("max_gradient_norm", 0.0);
  return config;
}

// The script's data(), one batch of it.
struct Batch {
  Batch(const nlohmann::json& golden, int64_t step, bool weighted) {
    const int64_t rows = golden["rows"], count = golden["batch"];
    const int64_t features = golden["layers"][0], classes = golden["layers"][2];
    for (int64_t b = 0; b < count; ++b) {
      const int64_t i = (step * count + b) % rows;
      for (int64_t j = 0; j < features; ++j) {
        inputs.push_back(static_cast<float>((i * 131 + j * 71 + (i * j) % 97) % 256) / 128.0f -
                         1.0f);
      }
      labels.push_back(static_cast<int32_t>((i * 7 + 3) % classes));
      if (weighted) weights.push_back(0.5f + static_cast<float>(i * 5 % 8) / 4.0f);
    }
  }

  std::vector<float> inputs;
  std::vector<int32_t> labels;
  std::vector<float> weights;
};

void ExpectFollows(const nlohmann::json& golden, const nlohmann::json& tested,
                   const TileKernel& kernel) {
  SCOPED_TRACE(tested["name"].get<std::string>());
  ThreadPool pool({.threads = 2});
  MiniBatchStep step(ConfigOf(golden, tested), golden["training_rows"], pool, kernel);
  VectorF start(golden["cases"][0]["thetas"]["1"].size());
  for (Eigen::Index p = 0; p < start.size(); ++p) {
    start[p] = static_cast<float>(std::sin(static_cast<double>(p) + 1.0) / 2.0);
  }
  MiniBatchState state = step.Start(start);
  const auto steps = static_cast<int64_t>(tested["costs"].size());
  ASSERT_EQ(steps, 20);
  for (int64_t s = 0; s < steps; ++s) {
    const Batch batch(golden, s, tested.value("weighted", false));
    const MiniBatchStepResult result =
        step.Run({batch.inputs.data(), batch.labels, batch.weights}, tested["rate"], state);
    step.Settle(state);
    const auto index = static_cast<size_t>(s);
    EXPECT_NEAR(result.cost_sum, tested["costs"][index].get<double>(), 2e-5) << "step " << s;
    EXPECT_NEAR(result.gradient_norm, tested["norms"][index].get<double>(), 1e-5) << "step " << s;
    const auto expected = tested["thetas"].find(std::to_string(s + 1));
    if (expected == tested["thetas"].end()) continue;
    for (Eigen::Index p = 0; p < start.size(); ++p) {
      ASSERT_NEAR(state.theta[p], (*expected)[static_cast<size_t>(p)].get<double>(), 1e-5)
          << "step " << s << ", parameter " << p;
    }
  }
}

TEST(StepGolden, EveryOptimizerFollowsPyTorch) {
  const nlohmann::json golden = ReadGolden();
  ASSERT_EQ(golden["cases"].size(), 9u);
  for (const nlohmann::json& tested : golden["cases"]) {
    ExpectFollows(golden, tested, BestTileKernel());
    ExpectFollows(golden, tested, BlasTileKernel());
  }
}

}  // namespace
}  // namespace mlp

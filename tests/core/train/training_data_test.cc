#include "core/train/training_data.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/train/part_cost.h"
#include "core/train/trainer.h"
#include "tests/core/train/blobs.h"

namespace mlp {
namespace {

using testing::ElementsAre;
using testing::FloatEq;
using testing::IsEmpty;

TEST(ClassWeights, GivenOnesAreScaledToAMeanOfOne) {
  // Four examples of class 0 and one each of 1 and 2: mean weight (4 * 1 + 3 + 5) / 6 = 2.
  const std::vector<int32_t> labels = {0, 0, 1, 0, 2, 0};
  EXPECT_THAT(ClassWeights({.weights = {1.0, 3.0, 5.0}}, labels, 3),
              ElementsAre(FloatEq(0.5f), FloatEq(1.5f), FloatEq(2.5f)));
}

TEST(ClassWeights, BalancedOnesAreInverseToTheExamples) {
  // 6 / (3 * n_k); the sum of weights over the examples is 6 already.
  const std::vector<int32_t> labels = {0, 0, 1, 0, 2, 0};
  EXPECT_THAT(ClassWeights({.weights = {}, .balanced = true}, labels, 3),
              ElementsAre(FloatEq(0.5f), FloatEq(2.0f), FloatEq(2.0f)));
}

TEST(ClassWeights, OfAClassWithoutExamplesIsThatOfTheMean) {
  // 3 / (3 * n_k) is 0.5 and 1; with the mean of (2 * 0.5 + 1) / 3 divided out.
  EXPECT_THAT(ClassWeights({.weights = {}, .balanced = true}, {0, 0, 2}, 3),
              ElementsAre(FloatEq(0.75f), FloatEq(1.5f), FloatEq(1.5f)));
}

TEST(ClassWeights, ThatAreAllAlikeAreNone) {
  const std::vector<int32_t> labels = {0, 1, 2, 0, 1, 2, 0, 1, 2, 2};
  EXPECT_THAT(ClassWeights({}, labels, 3), IsEmpty());
  for (const double weight : {1.0, 0.1, 7.0, 1e-9, 1e9}) {
    EXPECT_THAT(ClassWeights({.weights = {weight, weight, weight}}, labels, 3), IsEmpty());
  }
  EXPECT_THAT(ClassWeights({.weights = {}, .balanced = true}, {0, 1, 2, 2, 1, 0}, 3), IsEmpty());
}

// 20 of 420 rows are of the last class, near the others.
Dataset Imbalanced() {
  Random random(77, 0);
  Dataset dataset;
  dataset.schema = {.features = 2,
                    .feature_type = FeatureType::kFloat32,
                    .class_names = {"many", "few"},
                    .image = std::nullopt};
  for (int i = 0; i < 840; ++i) {
    const int label = i % 21 == 0 ? 1 : 0;
    for (int j = 0; j < 2; ++j) {
      const auto value = static_cast<float>(1.2 * label + random.Normal());
      dataset.features.append(reinterpret_cast<const char*>(&value), sizeof(value));
    }
    dataset.labels.push_back(label);
  }
  return dataset;
}

TrainingConfig ImbalancedConfig(OptimizerKind kind) {
  TrainingConfig config;
  config.topology = {.inputs = 2, .layers = {{.units = 4}, {.units = 2}}};
  config.split = {.training = 0.5, .validation = 0.0, .test = 0.5};
  config.scaling = Scaling::kStandard;
  config.optimizer.kind = kind;
  config.optimizer.batch_size = 32;
  config.optimizer.learning_rate = kind == OptimizerKind::kSgd ? 0.1 : 0.02;
  config.stopping.max_iterations = 40;
  return config;
}

class ClassWeightsOf : public testing::TestWithParam<OptimizerKind> {};

INSTANTIATE_TEST_SUITE_P(Kinds, ClassWeightsOf,
                         testing::Values(OptimizerKind::kLbfgs, OptimizerKind::kConjugateGradient,
                                         OptimizerKind::kSgd, OptimizerKind::kAdamW));

TEST_P(ClassWeightsOf, RaiseTheRecallOfTheFew) {
  TrainingConfig config = ImbalancedConfig(GetParam());
  ThreadPool pool({});
  const TrainingContext context = {.pool = pool, .clock = Clock::System()};
  const auto plain = Train(Imbalanced(), config, context);
  config.class_weights.balanced = true;
  const auto balanced = Train(Imbalanced(), config, context);
  ASSERT_TRUE(plain.ok() && balanced.ok());
  EXPECT_GT(balanced->test->classes[1].scores.recall, plain->test->classes[1].scores.recall + 0.25);
}

TEST_P(ClassWeightsOf, ThatAreEqualChangeNoBit) {
  TrainingConfig config = ImbalancedConfig(GetParam());
  config.stopping.max_iterations = 5;
  ThreadPool pool({});
  const TrainingContext context = {.pool = pool, .clock = Clock::System()};
  const auto plain = Train(Imbalanced(), config, context);
  config.class_weights.weights = {0.3, 0.3};
  const auto equal = Train(Imbalanced(), config, context);
  config.class_weights.weights = {0.3, 0.4};
  const auto unequal = Train(Imbalanced(), config, context);
  ASSERT_TRUE(plain.ok() && equal.ok() && unequal.ok());
  EXPECT_EQ(equal->network.parameters, plain->network.parameters);
  EXPECT_EQ(equal->final_cost, plain->final_cost);
  EXPECT_NE(unequal->network.parameters, plain->network.parameters);
}

TEST(PartCost, IsTheWeightedMeanOfTheRows) {
  const Dataset dataset = Blobs(600);
  TrainingConfig config = BlobConfig();
  config.class_weights.weights = {1.0, 2.0, 4.0};
  const TrainingData data =
      PrepareData(dataset, *SplitRows(dataset.labels, 3, config.split), config, nullptr);
  const VectorF theta = InitialParameters(config.topology, config.initialization, 3).cast<float>();
  double expected = 0.0;
  for (const int64_t row : data.split.validation) {
    const Examples one = GatherExamples(dataset, {row}, data.scaler);
    Propagation<float> propagation(config.topology, 1);
    propagation.Forward(theta.data(), one.features.data(), 1);
    // The mean weight over classes of one size is 7/3.
    expected += config.class_weights.weights[static_cast<size_t>(one.labels[0])] * 3.0 / 7.0 *
                CrossEntropySum<float>(config.cost, propagation.logits(), one.labels);
  }
  expected /= static_cast<double>(data.split.validation.size());
  for (const int threads : {1, 3}) {
    ThreadPool pool({.threads = threads});
    PartCost cost(config, data, data.split.validation, pool);
    EXPECT_NEAR(cost.Evaluate(theta.data(), nullptr), expected, 1e-5);
    EXPECT_TRUE(std::isnan(cost.Evaluate(theta.data(), [] { return true; })));
  }
}

TEST(WarmStart, BeginsAtTheCostWhereTheOtherEnded) {
  ThreadPool pool({});
  TrainingConfig config = BlobConfig();
  const auto first = Train(Blobs(600), config, {.pool = pool, .clock = Clock::System()});
  ASSERT_TRUE(first.ok());
  const WarmStart start = {.network = first->network, .scaler = first->scaler};
  config.scaling = Scaling::kNone;  // the start's counts
  config.stopping.max_iterations = 2;
  for (const OptimizerKind kind : {OptimizerKind::kLbfgs, OptimizerKind::kSgd}) {
    config.optimizer.kind = kind;
    config.optimizer.learning_rate = 1e-3;
    const auto second =
        Train(Blobs(600), config, {.pool = pool, .clock = Clock::System(), .start = &start});
    ASSERT_TRUE(second.ok()) << second.status();
    EXPECT_NEAR(second->initial_cost, first->final_cost, 1e-6);
    EXPECT_EQ(second->scaler.offsets(), first->scaler.offsets());
    EXPECT_EQ(second->scaler.scales(), first->scaler.scales());
  }
}

TEST(WarmStart, RefusesANetworkOfAnotherShape) {
  ThreadPool pool({});
  const TrainingConfig config = BlobConfig();
  const auto refusal = [&](const Topology& topology) {
    WarmStart start;
    start.network = {.topology = topology, .parameters = VectorF::Zero(ParameterCount(topology))};
    start.scaler = FeatureScaler::Identity(topology.inputs);
    const absl::Status status =
        Train(Blobs(600), config, {.pool = pool, .clock = Clock::System(), .start = &start})
            .status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    return std::string(status.message());
  };
  EXPECT_EQ(refusal({.inputs = 4, .layers = {{.units = 7}, {.units = 3}}}),
            "initial_model: expected layers 4-6-3, got 4-7-3");
  EXPECT_EQ(refusal({.inputs = 4,
                     .layers = {{.units = 6, .activation = Activation::kTanh}, {.units = 3}}}),
            "initial_model: expected activations sigmoid-sigmoid, got tanh-sigmoid");
}

}  // namespace
}  // namespace mlp

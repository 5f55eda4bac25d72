#include "core/train/training_data.h"

#include <cmath>
#include <numeric>

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

// A dataset of these labels, without features.
Dataset Labelled(std::vector<int32_t> labels, std::vector<float> weights = {}) {
  return {.schema = {.features = 0,
                     .feature_type = FeatureType::kUint8,
                     .class_names = {"a", "b", "c"},
                     .image = std::nullopt},
          .features = "",
          .labels = std::move(labels),
          .weights = std::move(weights)};
}

// Of all rows, all for training.
std::vector<float> WeightsOfAll(const ClassWeightOptions& options, const Dataset& dataset) {
  std::vector<int64_t> rows(dataset.labels.size());
  std::iota(rows.begin(), rows.end(), 0);
  return ExampleWeights(options, dataset, rows);
}

TEST(ExampleWeights, GivenOnesOfClassesAreScaledToAMeanOfOne) {
  // Four examples of class 0 and one each of 1 and 2: mean weight (4 * 1 + 3 + 5) / 6 = 2.
  EXPECT_THAT(WeightsOfAll({.weights = {1.0, 3.0, 5.0}}, Labelled({0, 0, 1, 0, 2, 0})),
              ElementsAre(0.5f, 0.5f, 1.5f, 0.5f, 2.5f, 0.5f));
}

TEST(ExampleWeights, BalancedOnesAreInverseToTheExamples) {
  // 6 / (3 * n_k); the sum of weights over the examples is 6 already.
  EXPECT_THAT(WeightsOfAll({.weights = {}, .balanced = true}, Labelled({0, 0, 1, 0, 2, 0})),
              ElementsAre(0.5f, 0.5f, 2.0f, 0.5f, 2.0f, 0.5f));
}

TEST(ExampleWeights, BalancedOnesPassOverAClassWithoutExamples) {
  // 3 / (3 * n_k) is 0.5 and 1; with the mean of (2 * 0.5 + 1) / 3 divided out.
  EXPECT_THAT(WeightsOfAll({.weights = {}, .balanced = true}, Labelled({0, 0, 2})),
              ElementsAre(FloatEq(0.75f), FloatEq(0.75f), FloatEq(1.5f)));
}

TEST(ExampleWeights, ThatAreAllAlikeAreNone) {
  const Dataset dataset = Labelled({0, 1, 2, 0, 1, 2, 0, 1, 2, 2});
  EXPECT_THAT(WeightsOfAll({}, dataset), IsEmpty());
  for (const double weight : {1.0, 0.1, 7.0, 1e-9, 1e9}) {
    EXPECT_THAT(WeightsOfAll({.weights = {weight, weight, weight}}, dataset), IsEmpty());
  }
  EXPECT_THAT(WeightsOfAll({.weights = {}, .balanced = true}, Labelled({0, 1, 2, 2, 1, 0})),
              IsEmpty());
  EXPECT_THAT(WeightsOfAll({}, Labelled({0, 1, 2}, {0.3f, 0.3f, 0.3f})), IsEmpty());
}

TEST(ExampleWeights, OfExamplesAreTimesThoseOfTheirClasses) {
  // 2 * 1, 0 * 4, 1 * 4: a mean of 2.
  EXPECT_THAT(WeightsOfAll({.weights = {1.0, 4.0, 9.0}}, Labelled({0, 1, 1}, {2.0f, 0.0f, 1.0f})),
              ElementsAre(1.0f, 0.0f, 2.0f));
}

TEST(ExampleWeights, HaveAMeanOfOneOverTheTrainingPart) {
  EXPECT_THAT(ExampleWeights({}, Labelled({0, 1, 2, 0}, {1.0f, 8.0f, 3.0f, 5.0f}), {0, 2}),
              ElementsAre(0.5f, 4.0f, 1.5f, 2.5f));
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

// An example of weight 2 is the same as two of them, and one of weight 0 as none.
TEST(ExampleWeights, CountLikeRepetitions) {
  Dataset weighted = Imbalanced();
  Dataset repeated;
  repeated.schema = weighted.schema;
  for (size_t i = 0; i < weighted.labels.size(); ++i) {
    const size_t times = i % 3;
    weighted.weights.push_back(static_cast<float>(times));
    for (size_t n = 0; n < times; ++n) {
      repeated.features.append(weighted.features, i * 8, 8);
      repeated.labels.push_back(weighted.labels[i]);
    }
  }
  TrainingConfig config = ImbalancedConfig(OptimizerKind::kLbfgs);
  config.split = {.training = 1.0, .validation = 0.0, .test = 0.0};
  config.scaling = Scaling::kNone;
  config.stopping.max_iterations = 5;
  // As the weights' mean is 1 over 840 rows of which 840 count.
  ASSERT_EQ(repeated.labels.size(), weighted.labels.size());
  ThreadPool pool({});
  const TrainingContext context = {.pool = pool, .clock = Clock::System()};
  const auto a = Train(weighted, config, context);
  const auto b = Train(repeated, config, context);
  ASSERT_TRUE(a.ok() && b.ok()) << a.status() << b.status();
  EXPECT_NEAR(a->final_cost, b->final_cost, 1e-4 * b->final_cost);
  EXPECT_TRUE(a->network.parameters.isApprox(b->network.parameters, 1e-2f));
}

TEST(ExampleWeights, ThatAreAllZeroAreRefused) {
  Dataset dataset = Imbalanced();
  dataset.weights.assign(dataset.labels.size(), 0.0f);
  ThreadPool pool({});
  const absl::Status status = Train(dataset, ImbalancedConfig(OptimizerKind::kSgd),
                                    {.pool = pool, .clock = Clock::System()})
                                  .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(),
            "weights: expected one above 0 among the 420 examples of the training part, got none");
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

#include "server/conversion/config_conversion.h"

#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/conversion/config_text.h"

namespace mlp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ConfigConversion, FillsTheDefaultsOfTheApi) {
  const auto config = Convert("network { layers: [400, 25, 10] }");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->topology.inputs, 400);
  ASSERT_EQ(config->topology.layers.size(), 2u);
  EXPECT_EQ(config->topology.layers[0], (LayerSpec{25, Activation::kSigmoid}));
  EXPECT_EQ(config->topology.layers[1], (LayerSpec{10, Activation::kSigmoid}));

  const std::string filled = R"pb(
    network {
      layers: [ 400, 25, 10 ]
      activations: ACTIVATION_SIGMOID
      cost: COST_SIGMOID_CROSS_ENTROPY
      initialization: INITIALIZATION_GLOROT
      initialization_epsilon: 0.12
    }
    split { training: 0.7 test: 0.3 }
    scaling: SCALING_RANGE
    optimizer { kind: OPTIMIZER_KIND_LBFGS lbfgs_history: 20 }
    stopping { max_iterations: 1000 cost_tolerance: 1e-6 gradient_tolerance: 1e-7 cost_window: 1 }
  )pb";
  EXPECT_EQ(Difference(Parse(filled), TrainingConfigToApi(*config)), "");
}

TEST(ConfigConversion, KeepsEveryValueThatIsGiven) {
  const std::string text = R"pb(
    network {
      layers: [ 5, 7, 6, 4, 3 ]
      activations: [ ACTIVATION_TANH, ACTIVATION_RELU, ACTIVATION_IDENTITY ]
      cost: COST_SOFTMAX_CROSS_ENTROPY
      initialization: INITIALIZATION_UNIFORM
      initialization_epsilon: 0.5
    }
    lambda: 2.5
    split { training: 0.5 validation: 0.25 test: 0.25 plain: true }
    scaling: SCALING_MIN_MAX
    optimizer { kind: OPTIMIZER_KIND_LBFGS lbfgs_history: 7 }
    stopping {
      max_iterations: 12
      cost_tolerance: 0.25
      gradient_tolerance: 0.125
      cost_window: 3
      patience: 9
      min_improvement: 0.5
      time_limit { seconds: 3 nanos: 500000000 }
    }
    seed: -9
    check_gradient: true
    class_weights { weights: [ 1, 2.5, 1 ] }
  )pb";
  const auto config = Convert(text);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(TopologyName(config->topology), "5-7-6-4-3");
  EXPECT_EQ(config->topology.layers[1].activation, Activation::kRelu);
  EXPECT_EQ(config->topology.layers[3].activation, Activation::kSoftmax);
  EXPECT_EQ(config->cost, CostKind::kSoftmaxCrossEntropy);
  EXPECT_EQ(config->lambda, 2.5);
  EXPECT_FALSE(config->split.stratified);
  EXPECT_EQ(config->split.seed, -9);
  EXPECT_EQ(config->optimizer.lbfgs_history, 7);
  EXPECT_EQ(config->stopping.cost_window, 3);
  EXPECT_EQ(config->stopping.patience, 9);
  EXPECT_EQ(config->stopping.min_improvement, 0.5);
  EXPECT_THAT(config->class_weights.weights, ElementsAre(1, 2.5, 1));
  EXPECT_EQ(config->stopping.time_limit, absl::Milliseconds(3500));
  EXPECT_EQ(config->seed, -9);
  EXPECT_EQ(Difference(Parse(text), TrainingConfigToApi(*config)), "");
}

TEST(ConfigConversion, ComesBackTheSameForEveryEnumValue) {
  const std::vector<std::string> fields = {
      "network { layers: [4, 3, 2] activations: ACTIVATION_STEP }",
      "network { layers: [4, 3, 2] activations: ACTIVATION_SIGMOID }",
      "network { layers: [4, 3, 2] activations: ACTIVATION_TANH }",
      "network { layers: [4, 3, 2] activations: ACTIVATION_RELU }",
      "network { layers: [4, 3, 2] activations: ACTIVATION_IDENTITY }",
      "network { layers: [4, 2] cost: COST_SOFTMAX_CROSS_ENTROPY }",
      "network { layers: [4, 2] initialization: INITIALIZATION_UNIFORM }",
      "network { layers: [4, 2] initialization: INITIALIZATION_HE }",
      "network { layers: [4, 2] } scaling: SCALING_NONE",
      "network { layers: [4, 2] } scaling: SCALING_RANGE",
      "network { layers: [4, 2] } scaling: SCALING_MIN_MAX",
      "network { layers: [4, 2] } scaling: SCALING_STANDARD",
      "network { layers: [4, 2] } optimizer { kind: OPTIMIZER_KIND_CONJUGATE_GRADIENT }",
      "network { layers: [4, 2] } optimizer { kind: OPTIMIZER_KIND_SGD }",
      "network { layers: [4, 2] } optimizer { kind: OPTIMIZER_KIND_ADAM }",
      "network { layers: [4, 2] } optimizer { kind: OPTIMIZER_KIND_ADAMW }",
  };
  for (const std::string& text : fields) {
    const v1::TrainingConfig once = TrainingConfigToApi(*Convert(text));
    const v1::TrainingConfig twice =
        TrainingConfigToApi(*TrainingConfigFromApi(once, v1::FEATURE_TYPE_UINT8));
    EXPECT_EQ(Difference(once, twice), "") << text;
    // What was asked for is part of what comes back.
    v1::TrainingConfig merged = once;
    v1::TrainingConfig asked = Parse(text);
    merged.mutable_network()->clear_layers();
    merged.mutable_network()->clear_activations();
    if (asked.network().activations_size() == 0) {
      asked.mutable_network()->mutable_activations()->CopyFrom(once.network().activations());
    }
    merged.MergeFrom(asked);
    EXPECT_EQ(Difference(once, merged), "") << text;
  }
}

TEST(ConfigConversion, OneActivationServesAllHiddenLayers) {
  const auto config = Convert("network { layers: [9, 5, 5, 5, 2] activations: ACTIVATION_TANH }");
  ASSERT_TRUE(config.ok());
  for (int layer = 0; layer < 3; ++layer) {
    EXPECT_EQ(config->topology.layers[static_cast<size_t>(layer)].activation, Activation::kTanh);
  }
  EXPECT_THAT(TrainingConfigToApi(*config).network().activations(),
              ElementsAre(v1::ACTIVATION_TANH, v1::ACTIVATION_TANH, v1::ACTIVATION_TANH));
}

TEST(ConfigConversion, InitializationDefaultsToHeForReluUnitsAlone) {
  const auto kind = [](const std::string& text) { return Convert(text)->initialization.kind; };
  EXPECT_EQ(kind("network { layers: [4, 3, 3, 2] activations: ACTIVATION_RELU }"),
            InitializationKind::kHe);
  EXPECT_EQ(kind("network { layers: [4, 3, 2] activations: ACTIVATION_TANH }"),
            InitializationKind::kGlorot);
  EXPECT_EQ(kind("network { layers: [4, 2] }"), InitializationKind::kGlorot);
  EXPECT_EQ(kind("network { layers: [4, 3, 3, 2] "
                 "activations: [ACTIVATION_RELU, ACTIVATION_SIGMOID] }"),
            InitializationKind::kGlorot);
  EXPECT_EQ(kind("network { layers: [4, 3, 2] activations: ACTIVATION_RELU "
                 "initialization: INITIALIZATION_GLOROT }"),
            InitializationKind::kGlorot);
}

TEST(ConfigConversion, ScalingDefaultsByFeatureType) {
  EXPECT_EQ(Convert("network { layers: [4, 2] }", v1::FEATURE_TYPE_UINT8)->scaling,
            Scaling::kRange);
  EXPECT_EQ(Convert("network { layers: [4, 2] }", v1::FEATURE_TYPE_FLOAT32)->scaling,
            Scaling::kStandard);
}

TEST(ConfigConversion, SplitDefaultsOnlyWhereNoFractionIsGiven) {
  const auto plain = Convert("network { layers: [4, 2] } split { plain: true }");
  EXPECT_EQ(plain->split.training, 0.7);
  EXPECT_EQ(plain->split.test, 0.3);
  EXPECT_FALSE(plain->split.stratified);

  const auto all = Convert("network { layers: [4, 2] } split { training: 1 }");
  EXPECT_EQ(all->split.training, 1.0);
  EXPECT_EQ(all->split.test, 0.0);
  const auto bad = Convert("network { layers: [4, 2] } split { test: 1 }");
  EXPECT_EQ(bad->split.training, 0.0);  // for core to refuse
}

TEST(ConfigConversion, RefusesWhatCoreCannotExpress) {
  struct Case {
    std::string config;
    std::string message;
  };
  const std::string good = "network { layers: [4, 3, 2] } ";
  const std::vector<Case> cases = {
      {"", "network.layers: expected 2 to 65 entries (inputs, hidden layers, outputs), got 0"},
      {"network { layers: 4 }",
       "network.layers: expected 2 to 65 entries (inputs, hidden layers, outputs), got 1"},
      {"network { layers: [4, 3, 2] activations: [2, 2] }",
       "network.activations: expected none or 1 entry, as there is one hidden layer, got 2"},
      {"network { layers: [4, 3, 3, 3, 2] activations: [2, 2] }",
       "network.activations: expected none, 1 or 3 entries, one a hidden layer, got 2"},
      {"network { layers: [4, 3, 2] activations: 99 }",
       "network.activations[0]: expected STEP, SIGMOID, TANH, RELU or IDENTITY, got 99"},
      {"network { layers: [4, 3, 3, 2] activations: [2, -1] }",
       "network.activations[1]: expected STEP, SIGMOID, TANH, RELU or IDENTITY, got -1"},
      {"network { layers: [4, 2] activations: 99 }",
       "network.activations[0]: expected STEP, SIGMOID, TANH, RELU or IDENTITY, got 99"},
      {"network { layers: [4, 3, 2] activations: ACTIVATION_SOFTMAX }",
       "network.activations[0]: expected STEP, SIGMOID, TANH, RELU or IDENTITY for a hidden layer, "
       "got SOFTMAX"},
      {"network { layers: [4, 3, 2] cost: 3 }",
       "network.cost: expected SIGMOID_CROSS_ENTROPY or SOFTMAX_CROSS_ENTROPY, got 3"},
      {"network { layers: [4, 3, 2] initialization: 4 }",
       "network.initialization: expected UNIFORM, GLOROT or HE, got 4"},
      {good + "scaling: 5", "scaling: expected NONE, RANGE, MIN_MAX or STANDARD, got 5"},
      {good + "optimizer { kind: 99 }",
       "optimizer.kind: expected LBFGS, CONJUGATE_GRADIENT, SGD, ADAM or ADAMW, got 99"},
      {good + "stopping { time_limit {} }",
       "stopping.time_limit: expected more than 0 s and at most 315576000000 s, got 0 s and 0 ns"},
      {good + "stopping { time_limit { seconds: -1 } }",
       "stopping.time_limit: expected more than 0 s and at most 315576000000 s, got -1 s and 0 ns"},
      {good + "stopping { time_limit { nanos: 1000000000 } }",
       "stopping.time_limit: expected more than 0 s and at most 315576000000 s, got 0 s and "
       "1000000000 ns"},
      {good + "stopping { time_limit { seconds: 315576000001 } }",
       "stopping.time_limit: expected more than 0 s and at most 315576000000 s, got 315576000001 s "
       "and 0 ns"},
  };
  for (const Case& bad : cases) {
    const absl::Status status = Convert(bad.config).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << bad.config;
    EXPECT_EQ(status.message(), bad.message) << bad.config;
  }
}

TEST(ConfigConversion, RefusesScalingAndInitializationNextToAnInitialModel) {
  const std::string good = "initial_model: 'digits@3' network { layers: [4, 3, 2] ";
  EXPECT_TRUE(Convert(good + "}").ok());
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"} scaling: SCALING_RANGE", "scaling: expected unset, as initial_model brings the scaling"},
      {"initialization: INITIALIZATION_HE }",
       "network.initialization: expected unset, as initial_model brings the weights"},
      {"initialization_epsilon: 0.1 }",
       "network.initialization_epsilon: expected unset, as initial_model brings the weights"},
  };
  for (const auto& [text, message] : cases) {
    const absl::Status status = Convert(good + text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_EQ(status.message(), message);
  }
}

TEST(ConfigConversion, AnInitialModelLeavesNothingThatWouldBeRefused) {
  v1::TrainingConfig filled = TrainingConfigToApi(*Convert("network { layers: [4, 3, 2] }"));
  SetInitialModel("digits@3", filled);
  EXPECT_EQ(filled.initial_model(), "digits@3");
  EXPECT_TRUE(TrainingConfigFromApi(filled, v1::FEATURE_TYPE_UINT8).ok());
}

TEST(ConfigConversion, BoundsTheLayersBeforeItCopiesThem) {
  v1::TrainingConfig config;
  for (int i = 0; i < 100'000; ++i) config.mutable_network()->add_layers(1);
  EXPECT_THAT(std::string(TrainingConfigFromApi(config, v1::FEATURE_TYPE_UINT8).status().message()),
              HasSubstr("got 100000"));
}

// Values out of range are core's to refuse: they must reach it as they are, not as a default.
TEST(ConfigConversion, PassesValuesOutOfRangeOn) {
  v1::TrainingConfig config = Parse("network { layers: [4, -3, 2] }");
  config.set_lambda(-1);
  config.mutable_split()->set_training(std::nan(""));
  config.mutable_stopping()->set_max_iterations(-5);
  config.mutable_stopping()->set_cost_tolerance(std::nan(""));
  config.mutable_optimizer()->set_lbfgs_history(-2);
  config.mutable_network()->set_initialization_epsilon(-0.5);
  const auto converted = TrainingConfigFromApi(config, v1::FEATURE_TYPE_UINT8);
  ASSERT_TRUE(converted.ok());
  EXPECT_EQ(converted->topology.layers[0].units, -3);
  EXPECT_EQ(converted->lambda, -1);
  EXPECT_TRUE(std::isnan(converted->split.training));
  EXPECT_EQ(converted->stopping.max_iterations, -5);
  EXPECT_TRUE(std::isnan(converted->stopping.cost_tolerance));
  EXPECT_EQ(converted->optimizer.lbfgs_history, -2);
  EXPECT_EQ(converted->initialization.epsilon, -0.5);
}

}  // namespace
}  // namespace mlp

// What the API says of mini-batch optimizers, and what it refuses of them and of the others.
#include <cmath>
#include <string>
#include <vector>

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/conversion/config_text.h"

namespace mlp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kNetwork[] = "network { layers: [16, 8, 6, 3] } ";

// What is filled in where only the optimizer's kind is given.
v1::TrainingConfig FilledIn(const std::string& optimizer) {
  const auto config = Convert(absl::StrCat(kNetwork, "optimizer { ", optimizer, " }"));
  EXPECT_TRUE(config.ok()) << config.status();
  v1::TrainingConfig filled = TrainingConfigToApi(*config);
  filled.clear_network();
  filled.clear_split();
  filled.clear_scaling();
  return filled;
}

TEST(MiniBatchConversion, FillsTheDefaultsOfSgd) {
  EXPECT_EQ(Difference(Parse(R"pb(
                         optimizer {
                           kind: OPTIMIZER_KIND_SGD
                           batch_size: 128
                           learning_rate: 0.1
                           momentum: 0.9
                           weight_decay: 0
                           schedule { kind: LEARNING_RATE_SCHEDULE_KIND_CONSTANT }
                         }
                         stopping { max_epochs: 30 cost_window: 1 }
                         regularization {}
                       )pb"),
                       FilledIn("kind: OPTIMIZER_KIND_SGD")),
            "");
}

TEST(MiniBatchConversion, FillsTheDefaultsOfAdamAndAdamW) {
  const std::string text = R"pb(
    optimizer {
      batch_size: 128
      learning_rate: 0.001
      beta1: 0.9
      beta2: 0.999
      epsilon: 1e-8
      schedule { kind: LEARNING_RATE_SCHEDULE_KIND_CONSTANT }
    }
    stopping { max_epochs: 30 cost_window: 1 }
    regularization {}
  )pb";
  v1::TrainingConfig expected = Parse(text);
  expected.mutable_optimizer()->set_kind(v1::OPTIMIZER_KIND_ADAM);
  EXPECT_EQ(Difference(expected, FilledIn("kind: OPTIMIZER_KIND_ADAM")), "");
  expected.mutable_optimizer()->set_kind(v1::OPTIMIZER_KIND_ADAMW);
  expected.mutable_optimizer()->set_weight_decay(0.01);
  EXPECT_EQ(Difference(expected, FilledIn("kind: OPTIMIZER_KIND_ADAMW")), "");
}

TEST(MiniBatchConversion, FillsTheDefaultsOfEachSchedule) {
  const auto schedule = [](const std::string& kind) {
    return FilledIn(absl::StrCat("kind: OPTIMIZER_KIND_SGD schedule { kind: ",
                                 "LEARNING_RATE_SCHEDULE_KIND_", kind, " }"))
        .optimizer()
        .schedule();
  };
  EXPECT_EQ(schedule("STEP").step_epochs(), 10);
  EXPECT_EQ(schedule("STEP").factor(), 0.1);
  EXPECT_EQ(schedule("EXPONENTIAL").factor(), 0.95);
  EXPECT_EQ(schedule("COSINE").final_fraction(), 0.0);
  EXPECT_EQ(schedule("COSINE").factor(), 0.0);
}

TEST(MiniBatchConversion, KeepsAnExplicitZero) {
  const auto sgd = Convert(absl::StrCat(
      kNetwork, "optimizer { kind: OPTIMIZER_KIND_SGD momentum: 0 weight_decay: 0.25 }"));
  ASSERT_TRUE(sgd.ok()) << sgd.status();
  EXPECT_EQ(sgd->optimizer.momentum, 0.0);
  EXPECT_EQ(sgd->optimizer.weight_decay, 0.25);
  const auto adamw = Convert(absl::StrCat(
      kNetwork, "optimizer { kind: OPTIMIZER_KIND_ADAMW beta1: 0 beta2: 0 weight_decay: 0 }"));
  ASSERT_TRUE(adamw.ok()) << adamw.status();
  EXPECT_EQ(adamw->optimizer.beta1, 0.0);
  EXPECT_EQ(adamw->optimizer.beta2, 0.0);
  EXPECT_EQ(adamw->optimizer.weight_decay, 0.0);
}

TEST(MiniBatchConversion, OneDropoutServesAllHiddenLayers) {
  const auto dropout = [](const std::string& text) {
    return Convert(absl::StrCat(kNetwork, "optimizer { kind: OPTIMIZER_KIND_ADAM } ",
                                "regularization { ", text, " }"))
        ->regularization.dropout;
  };
  EXPECT_THAT(dropout(""), IsEmpty());
  EXPECT_THAT(dropout("dropout: 0.5"), ElementsAre(0.5, 0.5));
  EXPECT_THAT(dropout("dropout: [0.5, 0.25]"), ElementsAre(0.5, 0.25));
}

TEST(MiniBatchConversion, FillsTheSigmaOfElasticDistortions) {
  const auto config = Convert(absl::StrCat(
      kNetwork, "optimizer { kind: OPTIMIZER_KIND_SGD } augmentation { elastic_alpha: 34 }"));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->augmentation.elastic_alpha, 34.0);
  EXPECT_EQ(config->augmentation.elastic_sigma, 4.0);
  EXPECT_EQ(TrainingConfigToApi(*config).augmentation().elastic_sigma(), 4.0);
}

TEST(MiniBatchConversion, RefusesWhatAnOptimizerHasNoUseFor) {
  struct Case {
    std::string config;
    std::string message;
  };
  const std::string sgd = "optimizer { kind: OPTIMIZER_KIND_SGD } ";
  const std::vector<Case> cases = {
      {"optimizer { batch_size: 64 }", "optimizer.batch_size: expected unset, as LBFGS has no use"},
      {"optimizer { momentum: 0 }", "optimizer.momentum: expected unset, as LBFGS"},
      {"optimizer { schedule { warm_up_epochs: 1 } }", "optimizer.schedule: expected unset, as"},
      {"optimizer { kind: OPTIMIZER_KIND_CONJUGATE_GRADIENT lbfgs_history: 5 }",
       "optimizer.lbfgs_history: expected unset, as CONJUGATE_GRADIENT"},
      {"optimizer { kind: OPTIMIZER_KIND_SGD beta1: 0.5 }",
       "optimizer.beta1: expected unset, as SGD"},
      {"optimizer { kind: OPTIMIZER_KIND_SGD lbfgs_history: 5 }",
       "optimizer.lbfgs_history: expected unset, as SGD"},
      {"optimizer { kind: OPTIMIZER_KIND_ADAM momentum: 0.5 }",
       "optimizer.momentum: expected unset, as ADAM"},
      {"optimizer { kind: OPTIMIZER_KIND_ADAM nesterov: true }",
       "optimizer.nesterov: expected unset, as ADAM"},
      {"optimizer { kind: OPTIMIZER_KIND_ADAM weight_decay: 0.1 }",
       "optimizer.weight_decay: expected unset, as ADAM"},
      {"optimizer { kind: OPTIMIZER_KIND_SGD schedule { factor: 0.5 } }",
       "optimizer.schedule.factor: expected unset, as CONSTANT"},
      {"optimizer { kind: OPTIMIZER_KIND_SGD schedule { kind: "
       "LEARNING_RATE_SCHEDULE_KIND_COSINE step_epochs: 2 } }",
       "optimizer.schedule.step_epochs: expected unset, as COSINE"},
      {"optimizer { kind: OPTIMIZER_KIND_SGD schedule { kind: "
       "LEARNING_RATE_SCHEDULE_KIND_STEP final_fraction: 0.1 } }",
       "optimizer.schedule.final_fraction: expected unset, as STEP"},
      {"stopping { max_epochs: 3 }", "stopping.max_epochs: expected unset, as LBFGS"},
      {sgd + "stopping { max_iterations: 3 }", "stopping.max_iterations: expected unset, as SGD"},
      {sgd + "stopping { gradient_tolerance: 0.1 }",
       "stopping.gradient_tolerance: expected unset, as SGD"},
      {"regularization { l1: 1 }", "regularization.l1: expected unset, as LBFGS"},
      {"regularization { dropout: 0 }", "regularization.dropout: expected unset, as LBFGS"},
      {"augmentation { max_shear: 0.1 }", "augmentation.max_shear: expected unset, as LBFGS"},
  };
  for (const Case& bad : cases) {
    const absl::Status status = Convert(kNetwork + bad.config).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << bad.config;
    EXPECT_EQ(status.message().substr(0, bad.message.size()), bad.message) << bad.config;
  }
  // Asking for nothing is not asking for something that has no use.
  EXPECT_TRUE(Convert(absl::StrCat(kNetwork, "optimizer { schedule {} } regularization {} ",
                                   "augmentation {} class_weights {}"))
                  .ok());
}

TEST(MiniBatchConversion, RefusesDropoutThatDoesNotMatchTheHiddenLayers) {
  const auto message = [](const std::string& network, const std::string& dropout) {
    return std::string(
        Convert(absl::StrCat("network { layers: ", network, " } optimizer { kind: ",
                             "OPTIMIZER_KIND_SGD } regularization { dropout: ", dropout, " }"))
            .status()
            .message());
  };
  EXPECT_EQ(message("[4, 3, 3, 3, 2]", "[0.5, 0.5]"),
            "regularization.dropout: expected none, 1 or 3 entries, one a hidden layer, got 2");
  EXPECT_EQ(message("[4, 2]", "0.5"),
            "regularization.dropout: expected none, as there is no hidden layer, got 1 entries");
}

TEST(MiniBatchConversion, RefusesUnknownSchedules) {
  EXPECT_EQ(
      Convert(absl::StrCat(kNetwork, "optimizer { kind: OPTIMIZER_KIND_SGD schedule { kind: 9 } }"))
          .status()
          .message(),
      "optimizer.schedule.kind: expected CONSTANT, STEP, EXPONENTIAL or COSINE, got 9");
}

// Values out of range are core's to refuse: they must reach it as they are, not as a default.
TEST(MiniBatchConversion, PassesValuesOutOfRangeOn) {
  v1::TrainingConfig message = Parse(absl::StrCat(kNetwork,
                                                  "optimizer { kind: OPTIMIZER_KIND_SGD "
                                                  "batch_size: -1 momentum: 2 }"));
  message.mutable_optimizer()->set_learning_rate(std::nan(""));
  message.mutable_stopping()->set_max_epochs(-3);
  message.mutable_regularization()->add_dropout(1.5);
  message.mutable_augmentation()->set_elastic_sigma(-1);
  const auto config = TrainingConfigFromApi(message, v1::FEATURE_TYPE_UINT8);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->optimizer.batch_size, -1);
  EXPECT_EQ(config->optimizer.momentum, 2.0);
  EXPECT_TRUE(std::isnan(config->optimizer.learning_rate));
  EXPECT_EQ(config->stopping.max_iterations, -3);
  EXPECT_THAT(config->regularization.dropout, ElementsAre(1.5, 1.5));
  EXPECT_EQ(config->augmentation.elastic_sigma, -1.0);
}

}  // namespace
}  // namespace mlp

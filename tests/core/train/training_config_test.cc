#include "core/train/training_config.h"

#include <cmath>
#include <functional>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/train/trainer.h"

namespace mlp {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kPrecondition = absl::StatusCode::kFailedPrecondition;
const double kNan = std::nan("");
const double kInfinity = std::numeric_limits<double>::infinity();

TrainingConfig Good() {
  TrainingConfig config;
  config.topology = {.inputs = 400, .layers = {{.units = 25}, {.units = 10}}};
  return config;
}

DatasetSchema DigitSchema() {
  DatasetSchema schema;
  schema.features = 400;
  schema.feature_type = FeatureType::kUint8;
  for (int k = 0; k < 10; ++k) schema.class_names.push_back(std::to_string(k));
  return schema;
}

// The error of a good configuration after one change.
absl::Status After(const std::function<void(TrainingConfig&)>& change) {
  TrainingConfig config = Good();
  change(config);
  return ValidateTrainingConfig(config);
}

void ExpectError(const absl::Status& status, absl::StatusCode code, const std::string& beginning) {
  EXPECT_EQ(status.code(), code) << status;
  EXPECT_THAT(std::string(status.message()), StartsWith(beginning));
}

TEST(TrainingConfig, DefaultsAreGood) {
  EXPECT_TRUE(ValidateTrainingConfig(Good()).ok());
  EXPECT_TRUE(ValidateForDataset(Good(), DigitSchema()).ok());
}

TEST(TrainingConfig, RefusesALambdaOutOfRange) {
  ExpectError(After([](auto& c) { c.lambda = -1.0; }), kInvalid,
              "lambda: expected a finite number of at least 0, got -1");
  ExpectError(After([](auto& c) { c.lambda = kNan; }), kInvalid, "lambda: ");
  ExpectError(After([](auto& c) { c.lambda = kInfinity; }), kInvalid, "lambda: ");
}

TEST(TrainingConfig, RefusesStoppingRulesOutOfRange) {
  ExpectError(After([](auto& c) { c.stopping.max_iterations = 0; }), kInvalid,
              "stopping.max_iterations: expected 1 to 1000000, got 0");
  ExpectError(After([](auto& c) { c.stopping.max_iterations = 1000001; }), kInvalid,
              "stopping.max_iterations: ");
  ExpectError(After([](auto& c) { c.stopping.cost_tolerance = 1.5; }), kInvalid,
              "stopping.cost_tolerance: expected a finite number from 0 to 1, got 1.5");
  ExpectError(After([](auto& c) { c.stopping.cost_tolerance = kNan; }), kInvalid,
              "stopping.cost_tolerance: ");
  ExpectError(After([](auto& c) { c.stopping.gradient_tolerance = -1e-9; }), kInvalid,
              "stopping.gradient_tolerance: ");
  ExpectError(After([](auto& c) { c.stopping.time_limit = absl::ZeroDuration(); }), kInvalid,
              "stopping.time_limit: expected a time above 0, got 0");
}

TEST(TrainingConfig, RefusesAnOptimizerHistoryOutOfRange) {
  for (const int history : {0, -1, 101}) {
    ExpectError(After([&](auto& c) { c.optimizer.lbfgs_history = history; }), kInvalid,
                "optimizer.lbfgs_history: expected 1 to 100, got ");
  }
}

TEST(TrainingConfig, RefusesAnEpsilonOutOfRange) {
  for (const double epsilon : {0.0, -0.1, kNan, kInfinity}) {
    ExpectError(
        After([&](auto& c) { c.initialization.epsilon = epsilon; }), kInvalid,
        "network.initialization_epsilon: expected a finite number above 0, at most 100, got ");
  }
}

TEST(TrainingConfig, PassesOnErrorsOfSplitAndTopology) {
  ExpectError(After([](auto& c) { c.split.test = 0.4; }), kInvalid, "split");
  ExpectError(After([](auto& c) { c.topology.layers[0].units = 0; }), kInvalid,
              "network.layers[1]: expected 1 to 1048576 units, got 0");
  ExpectError(After([](auto& c) { c.topology.layers.clear(); }), kInvalid, "network.layers: ");
  ExpectError(After([](auto& c) { c.topology.layers[0].units = 1 << 20; }),
              absl::StatusCode::kResourceExhausted, "network.layers: ");
}

TEST(TrainingConfig, RefusesStepUnitsAndSaysWhy) {
  const absl::Status status =
      After([](auto& c) { c.topology.layers[0].activation = Activation::kStep; });
  ExpectError(status, kPrecondition, "network.activations: ");
  EXPECT_THAT(std::string(status.message()), HasSubstr("derivative"));
}

TEST(TrainingConfig, RefusesOutputsThatTheCostIsNotFor) {
  ExpectError(After([](auto& c) { c.topology.layers[1].activation = Activation::kSoftmax; }),
              kPrecondition,
              "network.cost: expected sigmoid units in the output layer, as this cost needs, got "
              "softmax");
  ExpectError(After([](auto& c) { c.cost = CostKind::kSoftmaxCrossEntropy; }), kPrecondition,
              "network.cost: expected softmax units");
  ExpectError(After([](auto& c) { c.topology.layers[1].activation = Activation::kStep; }),
              kPrecondition, "network.cost: ");
}

// A good configuration of SGD with momentum.
TrainingConfig GoodMiniBatch() {
  TrainingConfig config = Good();
  config.optimizer.kind = OptimizerKind::kSgd;
  config.stopping.max_iterations = 30;
  return config;
}

struct Refusal {
  const char* beginning;
  std::function<void(TrainingConfig&)> change;
};

void ExpectRefusals(const TrainingConfig& good, const std::vector<Refusal>& refusals) {
  ASSERT_TRUE(ValidateTrainingConfig(good).ok()) << ValidateTrainingConfig(good);
  for (const Refusal& refusal : refusals) {
    TrainingConfig config = good;
    refusal.change(config);
    ExpectError(ValidateTrainingConfig(config), kInvalid, refusal.beginning);
  }
}

TEST(TrainingConfig, RefusesEveryWrongSettingOfMiniBatches) {
  ExpectRefusals(
      GoodMiniBatch(),
      {
          {"optimizer.batch_size: expected 1 to 65536, got 0",
           [](auto& c) { c.optimizer.batch_size = 0; }},
          {"optimizer.batch_size: expected 1 to 65536, got 65537",
           [](auto& c) { c.optimizer.batch_size = 65537; }},
          {"optimizer.learning_rate: expected a finite number above 0, at most 100, got -0.1",
           [](auto& c) { c.optimizer.learning_rate = -0.1; }},
          {"optimizer.learning_rate: ", [](auto& c) { c.optimizer.learning_rate = 0.0; }},
          {"optimizer.learning_rate: ", [](auto& c) { c.optimizer.learning_rate = 101.0; }},
          {"optimizer.learning_rate: ", [](auto& c) { c.optimizer.learning_rate = kNan; }},
          {"optimizer.momentum: expected a finite number of at least 0, below 1, got 1",
           [](auto& c) { c.optimizer.momentum = 1.0; }},
          {"optimizer.momentum: ", [](auto& c) { c.optimizer.momentum = -0.1; }},
          {"optimizer.momentum: expected a finite number above 0 for Nesterov's momentum, got 0",
           [](auto& c) {
             c.optimizer.momentum = 0.0;
             c.optimizer.nesterov = true;
           }},
          {"optimizer.beta1: ", [](auto& c) { c.optimizer.beta1 = 1.0; }},
          {"optimizer.beta1: ", [](auto& c) { c.optimizer.beta1 = -0.5; }},
          {"optimizer.beta2: ", [](auto& c) { c.optimizer.beta2 = 1.0; }},
          {"optimizer.beta2: ", [](auto& c) { c.optimizer.beta2 = kNan; }},
          {"optimizer.epsilon: ", [](auto& c) { c.optimizer.epsilon = 0.0; }},
          {"optimizer.weight_decay: ", [](auto& c) { c.optimizer.weight_decay = 1.0; }},
          {"optimizer.weight_decay: ", [](auto& c) { c.optimizer.weight_decay = -1e-4; }},
          {"optimizer.max_gradient_norm: ", [](auto& c) { c.optimizer.max_gradient_norm = -1.0; }},
          {"optimizer.max_gradient_norm: ",
           [](auto& c) { c.optimizer.max_gradient_norm = kInfinity; }},
          {"optimizer.average_last_epochs: expected 0 to 30, got 31",
           [](auto& c) { c.optimizer.average_last_epochs = 31; }},
          {"optimizer.average_last_epochs: ",
           [](auto& c) { c.optimizer.average_last_epochs = -1; }},
          {"optimizer.schedule.step_epochs: ",
           [](auto& c) { c.optimizer.schedule.step_epochs = 0; }},
          {"optimizer.schedule.factor: ", [](auto& c) { c.optimizer.schedule.factor = 0.0; }},
          {"optimizer.schedule.factor: ", [](auto& c) { c.optimizer.schedule.factor = 1.1; }},
          {"optimizer.schedule.final_fraction: ",
           [](auto& c) { c.optimizer.schedule.final_fraction = 1.5; }},
          {"optimizer.schedule.final_fraction: ",
           [](auto& c) { c.optimizer.schedule.final_fraction = -0.5; }},
          {"optimizer.schedule.warm_up_epochs: expected a finite number from 0 to 30",
           [](auto& c) { c.optimizer.schedule.warm_up_epochs = 30.5; }},
          {"optimizer.schedule.warm_up_epochs: ",
           [](auto& c) { c.optimizer.schedule.warm_up_epochs = -1.0; }},
          {"regularization.l1: ", [](auto& c) { c.regularization.l1 = -1.0; }},
          {"regularization.dropout[0]: ", [](auto& c) { c.regularization.dropout = {1.0}; }},
          {"regularization.dropout[0]: ", [](auto& c) { c.regularization.dropout = {-0.1}; }},
          {"regularization.dropout: expected none or one for each of 1 hidden layers, got 2",
           [](auto& c) {
             c.regularization.dropout = {0.5, 0.5};
           }},
          {"regularization.input_dropout: ", [](auto& c) { c.regularization.input_dropout = 1.0; }},
          {"regularization.max_norm: ", [](auto& c) { c.regularization.max_norm = -3.0; }},
          {"class_weights.weights: expected one for each of 10 classes, got 3",
           [](auto& c) {
             c.class_weights.weights = {1.0, 2.0, 3.0};
           }},
          {"class_weights.weights[4]: expected a finite number from 1e-6 to 1e6, got 0",
           [](auto& c) {
             c.class_weights.weights.assign(10, 1.0);
             c.class_weights.weights[4] = 0.0;
           }},
          {"class_weights.weights: expected none together with class_weights.balanced",
           [](auto& c) {
             c.class_weights.weights.assign(10, 1.0);
             c.class_weights.balanced = true;
           }},
          {"stopping.max_epochs: expected 1 to 100000, got 0",
           [](auto& c) { c.stopping.max_iterations = 0; }},
          {"stopping.max_epochs: ", [](auto& c) { c.stopping.max_iterations = 100001; }},
          {"stopping.cost_tolerance: ", [](auto& c) { c.stopping.cost_tolerance = -1.0; }},
          {"stopping.cost_window: expected 1 to 1000, got 0",
           [](auto& c) { c.stopping.cost_window = 0; }},
          {"stopping.cost_window: ", [](auto& c) { c.stopping.cost_window = 1001; }},
          {"stopping.patience: ", [](auto& c) { c.stopping.patience = -1; }},
          {"stopping.patience: expected 0 without a validation part",
           [](auto& c) { c.stopping.patience = 5; }},
          {"stopping.min_improvement: ", [](auto& c) { c.stopping.min_improvement = -0.1; }},
          {"stopping.min_improvement: ", [](auto& c) { c.stopping.min_improvement = kNan; }},
      });
}

TEST(TrainingConfig, RefusesWhatAdamHasNoUseFor) {
  TrainingConfig good = GoodMiniBatch();
  good.optimizer.kind = OptimizerKind::kAdam;
  ExpectRefusals(good, {
                           {"optimizer.weight_decay: expected it unset, as ADAM has no use for it",
                            [](auto& c) { c.optimizer.weight_decay = 0.01; }},
                           {"optimizer.nesterov: expected it unset",
                            [](auto& c) { c.optimizer.nesterov = true; }},
                       });
  good.optimizer.kind = OptimizerKind::kAdamW;
  good.optimizer.weight_decay = 0.01;
  EXPECT_TRUE(ValidateTrainingConfig(good).ok());
}

TEST(TrainingConfig, RefusesWhatAFullBatchOptimizerHasNoUseFor) {
  ExpectRefusals(
      Good(),
      {
          {"optimizer.nesterov: ", [](auto& c) { c.optimizer.nesterov = true; }},
          {"optimizer.weight_decay: expected it unset, as a full-batch optimizer has no "
           "use for it",
           [](auto& c) { c.optimizer.weight_decay = 0.1; }},
          {"optimizer.max_gradient_norm: ", [](auto& c) { c.optimizer.max_gradient_norm = 1.0; }},
          {"optimizer.average_last_epochs: ", [](auto& c) { c.optimizer.average_last_epochs = 2; }},
          {"optimizer.schedule: ",
           [](auto& c) { c.optimizer.schedule.kind = ScheduleKind::kCosine; }},
          {"optimizer.schedule: ", [](auto& c) { c.optimizer.schedule.warm_up_epochs = 1.0; }},
          {"regularization: ", [](auto& c) { c.regularization.l1 = 1.0; }},
          {"regularization: ", [](auto& c) { c.regularization.dropout = {0.5}; }},
          {"regularization: ", [](auto& c) { c.regularization.max_norm = 1.0; }},
          {"stopping.patience: ", [](auto& c) { c.stopping.patience = 1; }},
      });
  TrainingConfig config = Good();
  config.class_weights.balanced = true;
  config.split = {.training = 0.5, .validation = 0.25, .test = 0.25};
  config.stopping.patience = 3;
  EXPECT_TRUE(ValidateTrainingConfig(config).ok());
}

TEST(TrainingConfig, RefusesAugmentationThatDoesNotFit) {
  TrainingConfig config = GoodMiniBatch();
  config.augmentation.elastic_alpha = 34.0;
  DatasetSchema schema = DigitSchema();
  ExpectError(ValidateForDataset(config, schema), kPrecondition, "augmentation");
  schema.image = ImageShape{.height = 20, .width = 20};
  EXPECT_TRUE(ValidateForDataset(config, schema).ok());
  config.augmentation.elastic_sigma = -1.0;
  ExpectError(ValidateForDataset(config, schema), kInvalid, "augmentation.elastic_sigma: ");
  config = Good();
  config.augmentation.max_shear = 0.1;
  ExpectError(ValidateForDataset(config, schema), kInvalid, "augmentation: expected it unset");
}

TEST(TrainingConfig, RefusesLayersThatDoNotFitTheDataset) {
  TrainingConfig config = Good();
  config.topology.inputs = 399;
  ExpectError(ValidateForDataset(config, DigitSchema()), kPrecondition,
              "network.layers: expected 400 inputs, as dataset has features, got 399");
  config = Good();
  config.topology.layers.back().units = 9;
  ExpectError(ValidateForDataset(config, DigitSchema()), kPrecondition,
              "network.layers: expected 10 outputs, as dataset has classes, got 9");
  config.lambda = -1.0;
  ExpectError(ValidateForDataset(config, DigitSchema()), kInvalid, "lambda: ");
}

}  // namespace
}  // namespace mlp

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

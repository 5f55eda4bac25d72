#include "server/conversion/evaluation_conversion.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlp {
namespace {

using ::testing::ElementsAre;

Evaluation TwoClasses() {
  Evaluation evaluation;
  evaluation.examples = 10;
  evaluation.accuracy = 0.8;
  evaluation.cross_entropy = 0.4;
  evaluation.confusion = {5, 1, 1, 3};
  evaluation.classes.resize(2);
  evaluation.classes[0].support = 6;
  evaluation.classes[0].scores = {0.1, 0.2, 0.3};
  evaluation.classes[0].average_precision = 0.9;
  for (int i = 0; i < 1000; ++i) {
    evaluation.classes[0].curve.push_back({1.0 - i * 1e-3, 0.5, i * 1e-3});
  }
  evaluation.classes[1].support = 4;
  evaluation.macro = {0.4, 0.5, 0.6};
  evaluation.micro = {0.7, 0.8, 0.9};
  return evaluation;
}

TEST(EvaluationConversion, KeepsEveryFigure) {
  const std::vector<std::string> names = {"cat", "dog"};
  const v1::Evaluation message = EvaluationToApi(TwoClasses(), v1::DATASET_PART_TEST, names, false);
  EXPECT_EQ(message.part(), v1::DATASET_PART_TEST);
  EXPECT_EQ(message.examples(), 10);
  EXPECT_EQ(message.accuracy(), 0.8);
  EXPECT_EQ(message.cross_entropy(), 0.4);
  EXPECT_THAT(message.confusion(), ElementsAre(5, 1, 1, 3));
  ASSERT_EQ(message.classes_size(), 2);
  EXPECT_EQ(message.classes(0).class_name(), "cat");
  EXPECT_EQ(message.classes(0).support(), 6);
  EXPECT_EQ(message.classes(0).scores().precision(), 0.1);
  EXPECT_EQ(message.classes(0).scores().recall(), 0.2);
  EXPECT_EQ(message.classes(0).scores().f1(), 0.3);
  EXPECT_EQ(message.classes(0).average_precision(), 0.9);
  EXPECT_EQ(message.classes(0).curve_size(), 0);
  EXPECT_EQ(message.classes(1).class_name(), "dog");
  EXPECT_EQ(message.macro().recall(), 0.5);
  EXPECT_EQ(message.micro().f1(), 0.9);
}

TEST(EvaluationConversion, ThinsCurvesWhereTheyAreAskedFor) {
  const std::vector<std::string> names = {"cat", "dog"};
  const v1::Evaluation message = EvaluationToApi(TwoClasses(), v1::DATASET_PART_ALL, names, true);
  ASSERT_EQ(message.classes(0).curve_size(), 200);
  EXPECT_EQ(message.classes(0).curve(0).threshold(), 1.0);
  EXPECT_EQ(message.classes(0).curve(0).precision(), 0.5);
  EXPECT_EQ(message.classes(0).curve(199).recall(), 0.999);
  EXPECT_EQ(message.classes(1).curve_size(), 0);
}

TEST(EvaluationConversion, ValidationCostIsUnsetWithoutAValidationPart) {
  ProgressPoint point;
  point.iteration = 3;
  point.cost = 1.5;
  point.gradient_norm = 0.25;
  point.step = 0.75;
  point.cost_evaluations = 8;
  point.elapsed_seconds = 2.5;
  v1::ProgressPoint message = ProgressPointToApi(point);
  EXPECT_EQ(message.iteration(), 3);
  EXPECT_EQ(message.cost(), 1.5);
  EXPECT_FALSE(message.has_validation_cost());
  EXPECT_EQ(message.gradient_norm(), 0.25);
  EXPECT_EQ(message.step(), 0.75);
  EXPECT_EQ(message.cost_evaluations(), 8);
  EXPECT_EQ(message.elapsed_seconds(), 2.5);

  point.validation_cost = 0.0;
  message = ProgressPointToApi(point);
  EXPECT_TRUE(message.has_validation_cost());
  EXPECT_EQ(message.validation_cost(), 0.0);
}

TEST(EvaluationConversion, ProgressPointsComeBackTheSame) {
  ProgressPoint point;
  point.iteration = 4;
  point.examples_per_second = 1234.5;
  for (const std::optional<double> left : {std::optional<double>(), std::optional<double>(0.0)}) {
    point.seconds_left = left;
    const v1::ProgressPoint message = ProgressPointToApi(point);
    EXPECT_EQ(message.has_seconds_left(), left.has_value());
    EXPECT_EQ(ProgressPointFromApi(message).seconds_left, left);
    EXPECT_EQ(ProgressPointFromApi(message).examples_per_second, 1234.5);
  }
}

TEST(EvaluationConversion, EveryStopReasonHasItsOwnName) {
  EXPECT_EQ(StopReasonToApi(StopReason::kConverged), v1::STOP_REASON_CONVERGED);
  EXPECT_EQ(StopReasonToApi(StopReason::kMaxIterations), v1::STOP_REASON_MAX_ITERATIONS);
  EXPECT_EQ(StopReasonToApi(StopReason::kTimeLimit), v1::STOP_REASON_TIME_LIMIT);
  EXPECT_EQ(StopReasonToApi(StopReason::kEarlyStopped), v1::STOP_REASON_EARLY_STOPPED);
  EXPECT_EQ(StopReasonToApi(StopReason::kCancelled), v1::STOP_REASON_CANCELLED);
  EXPECT_EQ(StopReasonToApi(StopReason::kDiverged), v1::STOP_REASON_DIVERGED);
}

}  // namespace
}  // namespace mlp

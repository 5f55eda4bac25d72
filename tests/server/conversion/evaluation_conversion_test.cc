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
  evaluation.classes[0].ranking = {.average_precision = 0.9,
                                   .roc_auc = 0.95,
                                   .best_f1_threshold = 0.1f,
                                   .best_f1 = 0.85,
                                   .curve = {{0.7f, 1.0, 0.5, 0.0}, {0.1f, 0.6, 1.0, 0.25}}};
  evaluation.classes[1].support = 4;
  evaluation.macro = {0.4, 0.5, 0.6};
  evaluation.micro = {0.7, 0.8, 0.9};
  evaluation.top_k = {{2, 0.9}, {3, 0.95}};
  evaluation.macro_roc_auc = 0.93;
  evaluation.log_loss = 0.37;
  evaluation.expected_calibration_error = 0.02;
  evaluation.reliability = {{0.0, 0.5, 0, 0.0, 0.0}, {0.5, 1.0, 10, 0.75, 0.8}};
  evaluation.worst = {{.row = 7,
                       .label = 1,
                       .prediction = 0,
                       .label_probability = 0.01f,
                       .predicted_probability = 0.98f}};
  return evaluation;
}

TEST(EvaluationConversion, KeepsEveryFigure) {
  const std::vector<std::string> names = {"cat", "dog"};
  const v1::Evaluation message = EvaluationToApi(TwoClasses(), v1::DATASET_PART_TEST, names);
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
  EXPECT_EQ(message.classes(1).class_name(), "dog");
  EXPECT_EQ(message.macro().recall(), 0.5);
  EXPECT_EQ(message.micro().f1(), 0.9);
}

TEST(EvaluationConversion, KeepsWhatThresholdsGive) {
  const std::vector<std::string> names = {"cat", "dog"};
  const v1::Evaluation message = EvaluationToApi(TwoClasses(), v1::DATASET_PART_ALL, names);
  const v1::ClassEvaluation& cat = message.classes(0);
  EXPECT_EQ(cat.roc_auc(), 0.95);
  // The float's own value: 0.1 as a double would select other rows.
  EXPECT_EQ(cat.best_f1_threshold(), static_cast<double>(0.1f));
  EXPECT_EQ(cat.best_f1(), 0.85);
  ASSERT_EQ(cat.curve_size(), 2);
  EXPECT_EQ(cat.curve(0).threshold(), static_cast<double>(0.7f));
  EXPECT_EQ(cat.curve(0).precision(), 1.0);
  EXPECT_EQ(cat.curve(0).recall(), 0.5);
  EXPECT_EQ(cat.curve(1).false_positive_rate(), 0.25);
  EXPECT_FALSE(message.classes(1).has_roc_auc());
  EXPECT_FALSE(message.classes(1).has_best_f1_threshold());
  EXPECT_EQ(message.classes(1).curve_size(), 0);
}

TEST(EvaluationConversion, KeepsWhatIsOfProbabilities) {
  const std::vector<std::string> names = {"cat", "dog"};
  v1::Evaluation message = EvaluationToApi(TwoClasses(), v1::DATASET_PART_ALL, names);
  ASSERT_EQ(message.top_k_size(), 2);
  EXPECT_EQ(message.top_k(1).k(), 3);
  EXPECT_EQ(message.top_k(1).accuracy(), 0.95);
  EXPECT_EQ(message.macro_roc_auc(), 0.93);
  EXPECT_EQ(message.log_loss(), 0.37);
  EXPECT_EQ(message.expected_calibration_error(), 0.02);
  ASSERT_EQ(message.reliability_size(), 2);
  EXPECT_EQ(message.reliability(1).lower(), 0.5);
  EXPECT_EQ(message.reliability(1).upper(), 1.0);
  EXPECT_EQ(message.reliability(1).examples(), 10);
  EXPECT_EQ(message.reliability(1).mean_confidence(), 0.75);
  EXPECT_EQ(message.reliability(1).accuracy(), 0.8);
  ASSERT_EQ(message.worst_examples_size(), 1);
  EXPECT_EQ(message.worst_examples(0).row(), 7);
  EXPECT_EQ(message.worst_examples(0).label(), 1);
  EXPECT_EQ(message.worst_examples(0).prediction(), 0);
  EXPECT_EQ(message.worst_examples(0).label_probability(), 0.01f);
  EXPECT_EQ(message.worst_examples(0).predicted_probability(), 0.98f);

  Evaluation without_area = TwoClasses();
  without_area.macro_roc_auc.reset();
  message = EvaluationToApi(without_area, v1::DATASET_PART_ALL, names);
  EXPECT_FALSE(message.has_macro_roc_auc());
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

TEST(EvaluationConversion, EveryStopReasonHasItsOwnName) {
  EXPECT_EQ(StopReasonToApi(StopReason::kConverged), v1::STOP_REASON_CONVERGED);
  EXPECT_EQ(StopReasonToApi(StopReason::kMaxIterations), v1::STOP_REASON_MAX_ITERATIONS);
  EXPECT_EQ(StopReasonToApi(StopReason::kTimeLimit), v1::STOP_REASON_TIME_LIMIT);
  EXPECT_EQ(StopReasonToApi(StopReason::kCancelled), v1::STOP_REASON_CANCELLED);
  EXPECT_EQ(StopReasonToApi(StopReason::kDiverged), v1::STOP_REASON_DIVERGED);
}

}  // namespace
}  // namespace mlp

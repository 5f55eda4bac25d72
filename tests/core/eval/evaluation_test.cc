#include "core/eval/evaluation.h"

#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr double kTolerance = 1e-12;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

MatrixF Outputs(int classes, const std::vector<float>& values) {
  return ConstMatrixMap<float>(values.data(), static_cast<Eigen::Index>(values.size()) / classes,
                               classes);
}

// Outputs that make the network answer `predicted`: 1 for it, 0 for the others.
MatrixF OutputsFor(int classes, const std::vector<int>& predicted) {
  MatrixF outputs = MatrixF::Zero(static_cast<Eigen::Index>(predicted.size()), classes);
  for (size_t i = 0; i < predicted.size(); ++i) {
    outputs(static_cast<Eigen::Index>(i), predicted[i]) = 1.0f;
  }
  return outputs;
}

void ExpectScores(const PrecisionRecall& scores, double precision, double recall, double f1) {
  EXPECT_NEAR(scores.precision, precision, kTolerance);
  EXPECT_NEAR(scores.recall, recall, kTolerance);
  EXPECT_NEAR(scores.f1, f1, kTolerance);
}

TEST(PredictedLabel, IsTheLargestOutput) {
  EXPECT_EQ(PredictedLabel({0.1f, 0.7f, 0.2f}), 1);
  EXPECT_EQ(PredictedLabel({-3.0f, -2.0f, -1.0f}), 2);
  EXPECT_EQ(PredictedLabel({5.0f}), 0);
}

TEST(PredictedLabel, IsTheLowestOfEqualOnes) {
  EXPECT_EQ(PredictedLabel({0.1f, 0.5f, 0.5f}), 1);
  EXPECT_EQ(PredictedLabel({0.0f, 0.0f, 0.0f}), 0);
  EXPECT_EQ(PredictedLabel({-0.0f, 0.0f}), 0);
}

TEST(PredictedLabel, IsNeverANanBesideANumber) {
  EXPECT_EQ(PredictedLabel({kNan, 0.1f, 0.2f}), 2);
  EXPECT_EQ(PredictedLabel({0.3f, kNan, 0.2f}), 0);
  EXPECT_EQ(PredictedLabel({kNan, kNan}), 0);
}

// Worked by hand: class 0 TP 3, predicted 4, support 4; class 1 TP 2, predicted 5, support 3;
// class 2 TP 1, predicted 1, support 3. 6 of 10 are right.
TEST(Evaluation, ScoresAThreeClassTable) {
  const std::vector<int32_t> labels = {0, 0, 0, 0, 1, 1, 1, 2, 2, 2};
  const Evaluation evaluation =
      Evaluate(OutputsFor(3, {0, 0, 0, 1, 1, 1, 0, 1, 1, 2}), labels, 0.25);
  EXPECT_EQ(evaluation.examples, 10);
  EXPECT_NEAR(evaluation.accuracy, 0.6, kTolerance);
  EXPECT_EQ(evaluation.cross_entropy, 0.25);
  EXPECT_THAT(evaluation.confusion, ElementsAre(3, 1, 0,  //
                                                1, 2, 0,  //
                                                0, 2, 1));
  ASSERT_THAT(evaluation.classes, SizeIs(3));
  EXPECT_EQ(evaluation.classes[0].support, 4);
  EXPECT_EQ(evaluation.classes[1].support, 3);
  EXPECT_EQ(evaluation.classes[2].support, 3);
  ExpectScores(evaluation.classes[0].scores, 0.75, 0.75, 0.75);
  ExpectScores(evaluation.classes[1].scores, 0.4, 2.0 / 3.0, 0.5);
  ExpectScores(evaluation.classes[2].scores, 1.0, 1.0 / 3.0, 0.5);
  ExpectScores(evaluation.macro, 2.15 / 3.0, 1.75 / 3.0, 1.75 / 3.0);
  ExpectScores(evaluation.micro, 0.6, 0.6, 0.6);
}

TEST(Evaluation, PerfectAnswersScoreOneThroughout) {
  const Evaluation evaluation = Evaluate(OutputsFor(3, {0, 1, 2, 2}), {0, 1, 2, 2}, 0.0);
  EXPECT_EQ(evaluation.accuracy, 1.0);
  EXPECT_THAT(evaluation.confusion, ElementsAre(1, 0, 0, 0, 1, 0, 0, 0, 2));
  for (const ClassEvaluation& result : evaluation.classes) {
    ExpectScores(result.scores, 1.0, 1.0, 1.0);
    EXPECT_NEAR(result.ranking.average_precision, 1.0, kTolerance);
  }
  ExpectScores(evaluation.macro, 1.0, 1.0, 1.0);
  ExpectScores(evaluation.micro, 1.0, 1.0, 1.0);
}

TEST(Evaluation, AllWrongScoresZeroThroughout) {
  const Evaluation evaluation = Evaluate(OutputsFor(2, {1, 1, 0}), {0, 0, 1}, 9.0);
  EXPECT_EQ(evaluation.accuracy, 0.0);
  EXPECT_THAT(evaluation.confusion, ElementsAre(0, 2, 1, 0));
  for (const ClassEvaluation& result : evaluation.classes) {
    ExpectScores(result.scores, 0.0, 0.0, 0.0);
  }
  ExpectScores(evaluation.macro, 0.0, 0.0, 0.0);
  ExpectScores(evaluation.micro, 0.0, 0.0, 0.0);
}

// Class 1 has no examples and one false answer; class 2 neither. All their scores are 0 / 0 or 0.
TEST(Evaluation, AClassWithoutExamplesScoresZero) {
  const Evaluation evaluation = Evaluate(OutputsFor(3, {0, 0, 1}), {0, 0, 0}, 0.0);
  EXPECT_EQ(evaluation.classes[0].support, 3);
  ExpectScores(evaluation.classes[0].scores, 1.0, 2.0 / 3.0, 0.8);
  for (const size_t k : {1, 2}) {
    EXPECT_EQ(evaluation.classes[k].support, 0);
    ExpectScores(evaluation.classes[k].scores, 0.0, 0.0, 0.0);
    EXPECT_EQ(evaluation.classes[k].ranking.average_precision, 0.0);
  }
  ExpectScores(evaluation.macro, 1.0 / 3.0, 2.0 / 9.0, 0.8 / 3.0);
  ExpectScores(evaluation.micro, 2.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0);
}

TEST(Evaluation, OneExampleIsEnough) {
  const Evaluation evaluation = Evaluate(Outputs(2, {0.25f, 0.75f}), {1}, 0.5);
  EXPECT_EQ(evaluation.examples, 1);
  EXPECT_EQ(evaluation.accuracy, 1.0);
  EXPECT_EQ(evaluation.macro_roc_auc, std::nullopt);  // no class has positives and negatives
  EXPECT_THAT(evaluation.top_k, IsEmpty());           // 2 classes: the top 2 are all
  EXPECT_NEAR(evaluation.expected_calibration_error, 0.25, kTolerance);
  ASSERT_THAT(evaluation.worst, SizeIs(1));
  EXPECT_EQ(evaluation.worst[0].label_probability, 0.75f);
}

TEST(Evaluation, CountsTheLabelAmongTheLargestOutputs) {
  // Six classes; the label's rank is 1, 2, 3, 4 and 6.
  const std::vector<float> falling = {0.9f, 0.8f, 0.7f, 0.6f, 0.5f, 0.4f};
  MatrixF outputs(5, 6);
  for (int row = 0; row < 5; ++row) outputs.row(row) = ConstMatrixMap<float>(falling.data(), 1, 6);
  const Evaluation evaluation = Evaluate(outputs, {0, 1, 2, 3, 5}, 0.0);
  ASSERT_THAT(evaluation.top_k, SizeIs(3));
  EXPECT_EQ(evaluation.top_k[0].k, 2);
  EXPECT_NEAR(evaluation.top_k[0].accuracy, 0.4, kTolerance);
  EXPECT_EQ(evaluation.top_k[1].k, 3);
  EXPECT_NEAR(evaluation.top_k[1].accuracy, 0.6, kTolerance);
  EXPECT_EQ(evaluation.top_k[2].k, 5);
  EXPECT_NEAR(evaluation.top_k[2].accuracy, 0.8, kTolerance);
  EXPECT_NEAR(evaluation.accuracy, 0.2, kTolerance);
}

TEST(Evaluation, TopKBreaksTiesAsThePredictionDoes) {
  // All outputs are equal: class 0 comes first, then 1, then 2.
  const Evaluation evaluation =
      Evaluate(Outputs(3, {0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f}), {0, 1, 2}, 0.0);
  EXPECT_NEAR(evaluation.accuracy, 1.0 / 3.0, kTolerance);
  ASSERT_THAT(evaluation.top_k, SizeIs(1));
  EXPECT_NEAR(evaluation.top_k[0].accuracy, 2.0 / 3.0, kTolerance);
}

TEST(Evaluation, MacroAreaIsOfTheClassesThatHaveOne) {
  // Class 0 has area 1, class 1 has 3/4, class 2 has no examples.
  const Evaluation evaluation =
      Evaluate(Outputs(3, {0.9f, 0.1f, 0.0f, 0.8f, 0.5f, 0.0f, 0.3f, 0.5f, 0.0f, 0.2f, 0.6f, 0.0f}),
               {0, 0, 1, 1}, 0.0);
  EXPECT_NEAR(*evaluation.classes[0].ranking.roc_auc, 1.0, kTolerance);
  EXPECT_NEAR(*evaluation.classes[1].ranking.roc_auc, 0.875, kTolerance);
  EXPECT_EQ(evaluation.classes[2].ranking.roc_auc, std::nullopt);
  EXPECT_NEAR(*evaluation.macro_roc_auc, 0.9375, kTolerance);
}

TEST(Evaluation, OutputsThatAreNanAreWrongAndWorthless) {
  const Evaluation evaluation =
      Evaluate(Outputs(2, {kNan, 0.5f, 0.5f, kNan, kNan, kNan, 0.125f, kNan}), {1, 0, 0, 1}, 0.0);
  EXPECT_NEAR(evaluation.accuracy, 0.75, kTolerance);
  EXPECT_NEAR(evaluation.log_loss, (std::log(2.0) + 2 * std::log1p(2e-15) - std::log(8e-15)) / 4,
              kTolerance);
  ASSERT_THAT(evaluation.worst, SizeIs(4));
  EXPECT_EQ(evaluation.worst[0].row, 3);
  EXPECT_EQ(evaluation.worst[0].label_probability, 0.0f);
  EXPECT_EQ(evaluation.worst[1].row, 2);
  EXPECT_EQ(evaluation.worst[1].predicted_probability, 0.0f);
}

TEST(Evaluation, LeavesOutWhatIsNotAskedFor) {
  const MatrixF outputs = OutputsFor(3, {0, 1, 2, 2});
  const std::vector<int32_t> labels = {0, 1, 2, 2};
  const Evaluation neither = Evaluate(outputs, labels, 0.0, {.worst_examples = 0});
  EXPECT_THAT(neither.worst, IsEmpty());
  EXPECT_THAT(neither.classes[0].ranking.curve, IsEmpty());
  const Evaluation both =
      Evaluate(outputs, labels, 0.0, {.max_curve_points = 10, .worst_examples = 2});
  EXPECT_THAT(both.worst, SizeIs(2));
  EXPECT_THAT(both.classes[0].ranking.curve, SizeIs(2));
}

}  // namespace
}  // namespace mlp

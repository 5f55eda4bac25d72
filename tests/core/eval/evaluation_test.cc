#include "core/eval/evaluation.h"

#include <algorithm>
#include <limits>
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

void ExpectPoint(const PrecisionRecallPoint& point, float threshold, double precision,
                 double recall) {
  EXPECT_EQ(point.threshold, threshold);
  EXPECT_NEAR(point.precision, precision, kTolerance);
  EXPECT_NEAR(point.recall, recall, kTolerance);
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
    EXPECT_NEAR(result.average_precision, 1.0, kTolerance);
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
    EXPECT_EQ(evaluation.classes[k].average_precision, 0.0);
  }
  ExpectScores(evaluation.macro, 1.0 / 3.0, 2.0 / 9.0, 0.8 / 3.0);
  ExpectScores(evaluation.micro, 2.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0);
}

TEST(Evaluation, OneExampleIsEnough) {
  const Evaluation evaluation = Evaluate(Outputs(2, {0.25f, 0.75f}), {1}, 0.5);
  EXPECT_EQ(evaluation.examples, 1);
  EXPECT_EQ(evaluation.accuracy, 1.0);
  ASSERT_THAT(evaluation.classes[1].curve, SizeIs(1));
  ExpectPoint(evaluation.classes[1].curve[0], 0.75f, 1.0, 1.0);
}

// By hand, for class 1 with 3 positives: .9 (+), then .8 (-, +) together, .5 (-, +) together, .1
// (-). Average precision 1/3 * 1 + 1/3 * 2/3 + 1/3 * 3/5 = 34/45; the last point adds no recall.
TEST(Evaluation, TiedOutputsAreOnePointOfTheCurve) {
  const Evaluation evaluation = Evaluate(
      Outputs(2, {0, 0.5f, 0, 0.8f, 0, 0.1f, 0, 0.9f, 0, 0.5f, 0, 0.8f}), {0, 1, 0, 1, 1, 0}, 0.0);
  const ClassEvaluation& result = evaluation.classes[1];
  ASSERT_THAT(result.curve, SizeIs(4));
  ExpectPoint(result.curve[0], 0.9f, 1.0, 1.0 / 3.0);
  ExpectPoint(result.curve[1], 0.8f, 2.0 / 3.0, 2.0 / 3.0);
  ExpectPoint(result.curve[2], 0.5f, 0.6, 1.0);
  ExpectPoint(result.curve[3], 0.1f, 0.5, 1.0);
  EXPECT_NEAR(result.average_precision, 34.0 / 45.0, kTolerance);
  // Class 0's outputs are all the same: one point, where everything counts as positive.
  ASSERT_THAT(evaluation.classes[0].curve, SizeIs(1));
  ExpectPoint(evaluation.classes[0].curve[0], 0.0f, 0.5, 1.0);
}

TEST(Evaluation, OrderOfExamplesDoesNotMatter) {
  const Evaluation one = Evaluate(Outputs(2, {0, 0.5f, 0, 0.5f, 0, 0.4f}), {1, 0, 1}, 0.0);
  const Evaluation other = Evaluate(Outputs(2, {0, 0.4f, 0, 0.5f, 0, 0.5f}), {1, 0, 1}, 0.0);
  EXPECT_EQ(one.classes[1].average_precision, other.classes[1].average_precision);
}

// From average_precision_golden.py, which counts each point afresh with numpy.
TEST(Evaluation, MatchesGoldenAveragePrecision) {
  constexpr int kRows = 60;
  constexpr int kClasses = 4;
  MatrixF outputs(kRows, kClasses);
  std::vector<int32_t> labels;
  for (int i = 0; i < kRows; ++i) {
    for (int k = 0; k < kClasses; ++k) {
      outputs(i, k) = static_cast<float>((37 * i + 11 * k * k + 5 * i * k) % 64) / 64.0f;
    }
    labels.push_back(i * 7 / 3 % kClasses);
  }
  const Evaluation evaluation = Evaluate(outputs, labels, 0.0);
  EXPECT_NEAR(evaluation.classes[0].average_precision, 0.6144481475370769, kTolerance);
  EXPECT_NEAR(evaluation.classes[1].average_precision, 0.2649439368941613, kTolerance);
  EXPECT_NEAR(evaluation.classes[2].average_precision, 0.2451391484096649, kTolerance);
  EXPECT_NEAR(evaluation.classes[3].average_precision, 0.33768511495619224, kTolerance);
  EXPECT_THAT(evaluation.confusion, ElementsAre(7, 3, 5, 0, 1, 6, 5, 3, 3, 6, 2, 4, 4, 3, 2, 6));
  EXPECT_NEAR(evaluation.accuracy, 0.35, kTolerance);
}

TEST(Evaluation, OutputsThatAreNanCountAsTheLowest) {
  const Evaluation evaluation =
      Evaluate(Outputs(2, {kNan, 0.5f, 0.5f, kNan, kNan, kNan, 0.1f, kNan}), {1, 0, 0, 1}, 0.0);
  EXPECT_NEAR(evaluation.accuracy, 0.75, kTolerance);
  ASSERT_THAT(evaluation.classes[1].curve, SizeIs(2));
  ExpectPoint(evaluation.classes[1].curve[0], 0.5f, 1.0, 0.5);
  ExpectPoint(evaluation.classes[1].curve[1], -std::numeric_limits<float>::infinity(), 0.5, 1.0);
}

// 6,000 classes of 300 distinct outputs would be 1.8 million points: each curve is cut to 200, and
// the average precision stays that of all.
TEST(Evaluation, ThinsCurvesThatWouldBeHugeTogether) {
  constexpr int kRows = 300;
  constexpr int kClasses = 6000;
  MatrixF outputs(kRows, kClasses);
  for (int i = 0; i < kRows; ++i) outputs.row(i).setConstant(static_cast<float>(i));
  std::vector<int32_t> labels(kRows, 1);
  labels.back() = 0;
  const Evaluation evaluation = Evaluate(outputs, labels, 0.0);
  for (const ClassEvaluation& result : evaluation.classes) ASSERT_THAT(result.curve, SizeIs(200));
  EXPECT_EQ(evaluation.classes[0].curve.front().threshold, kRows - 1);
  EXPECT_EQ(evaluation.classes[0].curve.back().threshold, 0);
  EXPECT_NEAR(evaluation.classes[0].average_precision, 1.0, kTolerance);
  double expected = 0.0;  // the highest is not of class 1, the other 299 are
  for (int i = 2; i <= kRows; ++i) expected += (i - 1.0) / i / 299.0;
  EXPECT_NEAR(evaluation.classes[1].average_precision, expected, kTolerance);
}

std::vector<PrecisionRecallPoint> CurveOf(int points) {
  std::vector<PrecisionRecallPoint> curve(static_cast<size_t>(points));
  for (size_t i = 0; i < curve.size(); ++i) curve[i].threshold = static_cast<double>(i);
  return curve;
}

std::vector<double> Thresholds(const std::vector<PrecisionRecallPoint>& curve) {
  std::vector<double> thresholds;
  thresholds.reserve(curve.size());
  for (const PrecisionRecallPoint& point : curve) thresholds.push_back(point.threshold);
  return thresholds;
}

TEST(ThinCurve, KeepsFirstAndLastAndIsEven) {
  EXPECT_THAT(Thresholds(ThinCurve(CurveOf(9), 5)), ElementsAre(0, 2, 4, 6, 8));
  EXPECT_THAT(Thresholds(ThinCurve(CurveOf(10), 4)), ElementsAre(0, 3, 6, 9));
  EXPECT_THAT(Thresholds(ThinCurve(CurveOf(1000), 2)), ElementsAre(0, 999));
}

TEST(ThinCurve, LeavesAShortCurveAlone) {
  EXPECT_THAT(Thresholds(ThinCurve(CurveOf(4), 4)), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(Thresholds(ThinCurve(CurveOf(3), 200)), ElementsAre(0, 1, 2));
  EXPECT_THAT(ThinCurve({}, 200), IsEmpty());
  EXPECT_THAT(ThinCurve({}, 0), IsEmpty());
}

TEST(ThinCurve, TakesVeryFewPoints) {
  EXPECT_THAT(Thresholds(ThinCurve(CurveOf(5), 1)), ElementsAre(0));
  EXPECT_THAT(ThinCurve(CurveOf(5), 0), IsEmpty());
}

TEST(ThinCurve, NeverRepeatsAPoint) {
  for (int points = 2; points < 60; ++points) {
    for (size_t max_points = 2; max_points < 60; ++max_points) {
      const std::vector<double> thinned = Thresholds(ThinCurve(CurveOf(points), max_points));
      ASSERT_EQ(thinned.size(), std::min(max_points, static_cast<size_t>(points)));
      for (size_t i = 1; i < thinned.size(); ++i) ASSERT_LT(thinned[i - 1], thinned[i]);
      ASSERT_EQ(thinned.back(), points - 1);
    }
  }
}

}  // namespace
}  // namespace mlp

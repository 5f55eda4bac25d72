#include "core/eval/class_ranking.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlp {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr double kTolerance = 1e-12;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Class 1's outputs are the scores, and an example is positive where its label is 1.
ClassRanking Rank(const std::vector<float>& scores, const std::vector<int32_t>& labels,
                  size_t max_curve_points = 1000) {
  MatrixF outputs = MatrixF::Zero(static_cast<Eigen::Index>(scores.size()), 2);
  for (size_t i = 0; i < scores.size(); ++i) outputs(static_cast<Eigen::Index>(i), 1) = scores[i];
  return RankClass(outputs, labels, 1, max_curve_points);
}

void ExpectPoint(const OperatingPoint& point, float threshold, double precision, double recall,
                 double false_positive_rate) {
  EXPECT_EQ(point.threshold, threshold);
  EXPECT_NEAR(point.precision, precision, kTolerance);
  EXPECT_NEAR(point.recall, recall, kTolerance);
  EXPECT_NEAR(point.false_positive_rate, false_positive_rate, kTolerance);
}

// By hand, 3 positives and 3 negatives: .9 (+), then .8 (-, +) together, .5 (-, +) together, .1
// (-). Average precision 1/3 * 1 + 1/3 * 2/3 + 1/3 * 3/5 = 34/45; the last point adds no recall. Of
// the 9 pairs 1 + 1.5 + 1.5 + ... : negative .8 is under .9 and ties once (1.5), .5 is under two
// and ties once (2.5), .1 is under all three (3): 7/9. F1 is 2/4, 4/6, 6/8, 6/9.
TEST(ClassRanking, TiedOutputsAreOnePoint) {
  const ClassRanking ranking = Rank({0.5f, 0.8f, 0.1f, 0.9f, 0.5f, 0.8f}, {0, 1, 0, 1, 1, 0});
  ASSERT_THAT(ranking.curve, SizeIs(4));
  ExpectPoint(ranking.curve[0], 0.9f, 1.0, 1.0 / 3.0, 0.0);
  ExpectPoint(ranking.curve[1], 0.8f, 2.0 / 3.0, 2.0 / 3.0, 1.0 / 3.0);
  ExpectPoint(ranking.curve[2], 0.5f, 0.6, 1.0, 2.0 / 3.0);
  ExpectPoint(ranking.curve[3], 0.1f, 0.5, 1.0, 1.0);
  EXPECT_NEAR(ranking.average_precision, 34.0 / 45.0, kTolerance);
  EXPECT_NEAR(*ranking.roc_auc, 7.0 / 9.0, kTolerance);
  EXPECT_NEAR(ranking.best_f1, 0.75, kTolerance);
  EXPECT_EQ(ranking.best_f1_threshold, 0.5f);
}

TEST(ClassRanking, OneOutputForAllKnowsNothing) {
  const ClassRanking ranking = Rank({0.3f, 0.3f, 0.3f, 0.3f}, {1, 0, 0, 1});
  ASSERT_THAT(ranking.curve, SizeIs(1));
  ExpectPoint(ranking.curve[0], 0.3f, 0.5, 1.0, 1.0);
  EXPECT_EQ(ranking.roc_auc, 0.5);
  EXPECT_EQ(ranking.average_precision, 0.5);
}

TEST(ClassRanking, PerfectAndWorst) {
  const ClassRanking perfect = Rank({0.9f, 0.8f, 0.2f, 0.1f}, {1, 1, 0, 0});
  EXPECT_EQ(perfect.roc_auc, 1.0);
  EXPECT_EQ(perfect.average_precision, 1.0);
  EXPECT_EQ(perfect.best_f1, 1.0);
  EXPECT_EQ(perfect.best_f1_threshold, 0.8f);
  const ClassRanking worst = Rank({0.9f, 0.8f, 0.2f, 0.1f}, {0, 0, 1, 1});
  EXPECT_EQ(worst.roc_auc, 0.0);
  EXPECT_NEAR(worst.average_precision, 0.5 / 3.0 + 0.25, kTolerance);
  EXPECT_NEAR(worst.best_f1, 4.0 / 6.0, kTolerance);
  EXPECT_EQ(worst.best_f1_threshold, 0.1f);
}

TEST(ClassRanking, OfTwoThresholdsWithTheBestF1TheHigherOneIsReported) {
  const ClassRanking ranking = Rank({0.9f, 0.8f, 0.7f, 0.6f}, {1, 0, 0, 1});  // 2/3, 2/4, 2/5, 4/6
  EXPECT_NEAR(ranking.best_f1, 2.0 / 3.0, kTolerance);
  EXPECT_EQ(ranking.best_f1_threshold, 0.9f);
}

TEST(ClassRanking, WithoutPositivesOrNegativesThereIsNoArea) {
  const ClassRanking negatives = Rank({0.4f, 0.6f}, {0, 0});
  EXPECT_EQ(negatives.roc_auc, std::nullopt);
  EXPECT_EQ(negatives.best_f1_threshold, std::nullopt);
  EXPECT_EQ(negatives.average_precision, 0.0);
  ASSERT_THAT(negatives.curve, SizeIs(2));
  ExpectPoint(negatives.curve[1], 0.4f, 0.0, 0.0, 1.0);
  const ClassRanking positives = Rank({0.4f, 0.6f}, {1, 1});
  EXPECT_EQ(positives.roc_auc, std::nullopt);
  EXPECT_EQ(positives.best_f1_threshold, 0.4f);
  EXPECT_EQ(positives.average_precision, 1.0);
  ASSERT_THAT(positives.curve, SizeIs(2));
  ExpectPoint(positives.curve[1], 0.4f, 1.0, 1.0, 0.0);
}

// No threshold counts a NaN as positive; for the area it is below all numbers, minus infinity too.
// Pairs: negative -inf is under .5 (1), ties with none, above NaN (0); negative NaN is under .5 (1)
// and ties with the NaN (0.5): 2.5 of 4.
TEST(ClassRanking, ANanIsUnderEveryThreshold) {
  const float lowest = -std::numeric_limits<float>::infinity();
  const ClassRanking ranking = Rank({kNan, 0.5f, lowest, kNan}, {1, 1, 0, 0});
  ASSERT_THAT(ranking.curve, SizeIs(2));
  ExpectPoint(ranking.curve[0], 0.5f, 1.0, 0.5, 0.0);
  ExpectPoint(ranking.curve[1], lowest, 0.5, 0.5, 0.5);
  EXPECT_NEAR(*ranking.roc_auc, 2.5 / 4.0, kTolerance);
  EXPECT_NEAR(ranking.average_precision, 0.5, kTolerance);
  const ClassRanking nothing = Rank({kNan, kNan}, {0, 1});
  EXPECT_THAT(nothing.curve, IsEmpty());
  EXPECT_EQ(nothing.roc_auc, 0.5);
  EXPECT_EQ(nothing.best_f1_threshold, std::nullopt);
}

TEST(ClassRanking, OrderOfExamplesDoesNotMatter) {
  const ClassRanking one = Rank({0.5f, 0.5f, 0.4f}, {1, 0, 1});
  const ClassRanking other = Rank({0.4f, 0.5f, 0.5f}, {1, 0, 1});
  EXPECT_EQ(one.average_precision, other.average_precision);
  EXPECT_EQ(one.roc_auc, other.roc_auc);
}

// Scores of `rows` examples, one in `rarity` positive and usually scored higher.
struct Noisy {
  std::vector<float> scores;
  std::vector<int32_t> labels;
};

Noisy NoisyScores(int rows, int rarity) {
  std::mt19937 random(5);
  std::normal_distribution<float> noise;
  Noisy noisy;
  for (int i = 0; i < rows; ++i) {
    const bool positive = i % rarity == 0;
    noisy.labels.push_back(positive ? 1 : 0);
    noisy.scores.push_back(1.0f / (1.0f + std::exp(-noise(random) - (positive ? 3.0f : 0.0f))));
  }
  return noisy;
}

// What a client does with a threshold of the API: compares each output that Predict replied.
TEST(ClassRanking, ThinnedOrNotAThresholdSelectsTheRowsThatItCounts) {
  const Noisy noisy = NoisyScores(5000, 10);
  for (const size_t max_points : {size_t{2}, size_t{50}, size_t{200}, size_t{100'000}}) {
    const ClassRanking ranking = Rank(noisy.scores, noisy.labels, max_points);
    EXPECT_LE(ranking.curve.size(), max_points);
    for (const OperatingPoint& point : ranking.curve) {
      int64_t hits = 0;
      int64_t false_alarms = 0;
      for (size_t i = 0; i < noisy.scores.size(); ++i) {
        if (noisy.scores[i] >= point.threshold) ++(noisy.labels[i] == 1 ? hits : false_alarms);
      }
      ASSERT_EQ(point.recall, static_cast<double>(hits) / 500.0);
      ASSERT_EQ(point.false_positive_rate, static_cast<double>(false_alarms) / 4500.0);
      ASSERT_EQ(point.precision,
                static_cast<double>(hits) / static_cast<double>(hits + false_alarms));
    }
  }
}

TEST(ClassRanking, ThinningKeepsTheEndsAndTheAreas) {
  const Noisy noisy = NoisyScores(5000, 10);
  const ClassRanking full = Rank(noisy.scores, noisy.labels, 100'000);
  const ClassRanking thin = Rank(noisy.scores, noisy.labels, 50);
  EXPECT_EQ(thin.average_precision, full.average_precision);
  EXPECT_EQ(thin.roc_auc, full.roc_auc);
  EXPECT_EQ(thin.curve.front().threshold, full.curve.front().threshold);
  EXPECT_EQ(thin.curve.back().threshold, full.curve.back().threshold);
  EXPECT_THAT(Rank(noisy.scores, noisy.labels, 2).curve, SizeIs(2));
  EXPECT_THAT(Rank(noisy.scores, noisy.labels, 0).curve, IsEmpty());
}

// A class of one in a thousand: by index nearly all points would lie where everything is found.
TEST(ClassRanking, ThinnedCurvesHaveNoGapsHoweverRareTheClass) {
  const Noisy noisy = NoisyScores(200'000, 1000);
  const ClassRanking ranking = Rank(noisy.scores, noisy.labels, 200);
  EXPECT_GT(ranking.curve.size(), 100u);
  for (size_t i = 1; i < ranking.curve.size(); ++i) {
    const OperatingPoint& before = ranking.curve[i - 1];
    const OperatingPoint& point = ranking.curve[i];
    EXPECT_LT(point.threshold, before.threshold);
    EXPECT_LT(point.recall - before.recall, 0.03);
    EXPECT_LT(point.false_positive_rate - before.false_positive_rate, 0.1);
    // Where little is found yet, one example more moves the precision far.
    if (before.recall > 0.1) {
      EXPECT_LT(std::abs(point.precision - before.precision), 0.06);
    }
  }
}

}  // namespace
}  // namespace mlp

#include "core/eval/calibration.h"

#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace mlp {
namespace {

// 0.95 (right), 0.97 (wrong), 0.4 (right): two bins, of 2 and 1 examples.
TEST(Calibration, ByHand) {
  Calibration calibration;
  calibration.Add(0.9375f, true);
  calibration.Add(0.96875f, false);
  calibration.Add(0.375f, true);
  const std::vector<ReliabilityBin> table = calibration.Table();
  ASSERT_EQ(table.size(), 15u);
  EXPECT_EQ(table[14].examples, 2);
  EXPECT_EQ(table[14].mean_confidence, 0.953125);
  EXPECT_EQ(table[14].accuracy, 0.5);
  EXPECT_EQ(table[14].lower, 14.0 / 15.0);
  EXPECT_EQ(table[14].upper, 1.0);
  EXPECT_EQ(table[5].examples, 1);
  EXPECT_EQ(table[5].accuracy, 1.0);
  EXPECT_EQ(table[0].examples, 0);
  EXPECT_EQ(table[0].accuracy, 0.0);
  EXPECT_NEAR(calibration.ExpectedError(), 2.0 / 3.0 * 0.453125 + 1.0 / 3.0 * 0.625, 1e-15);
}

TEST(Calibration, TheEndsBelongToTheOuterBins) {
  Calibration calibration;
  calibration.Add(0.0f, false);
  calibration.Add(1.0f, true);
  calibration.Add(7.0f, true);
  calibration.Add(-2.0f, false);
  calibration.Add(std::numeric_limits<float>::quiet_NaN(), false);
  EXPECT_EQ(calibration.Table()[0].examples, 3);
  EXPECT_EQ(calibration.Table()[14].examples, 2);
  EXPECT_EQ(calibration.ExpectedError(), 0.0);
}

TEST(Calibration, OfNothingIsZero) { EXPECT_EQ(Calibration().ExpectedError(), 0.0); }

// Confidently wrong throughout.
TEST(Calibration, IsOneAtWorst) {
  Calibration calibration;
  for (int i = 0; i < 10; ++i) calibration.Add(1.0f, false);
  EXPECT_EQ(calibration.ExpectedError(), 1.0);
}

}  // namespace
}  // namespace mlp

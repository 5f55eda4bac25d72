#include "core/nn/dropout.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace mlp {
namespace {

constexpr int64_t kRows = 200;
constexpr int64_t kUnits = 300;

// [kRows x kUnits] of ones.
std::vector<float> Mask(const Dropout& dropout) {
  std::vector<float> mask(kRows * kUnits, 1.0f);
  dropout.ApplyToRows(0, kRows, 0, kUnits, mask.data(), kUnits);
  return mask;
}

TEST(Dropout, LeavesOutItsShareAndKeepsTheMean) {
  for (const double share : {0.01, 0.2, 0.5, 0.9}) {
    int64_t zeros = 0;
    double sum = 0.0;
    for (const float value : Mask(Dropout(share, 1, 0, 1))) {
      if (value == 0.0f) {
        ++zeros;
      } else {
        ASSERT_EQ(value, static_cast<float>(1.0 / (1.0 - share)));
      }
      sum += static_cast<double>(value);
    }
    const double n = kRows * kUnits;
    const double deviation = std::sqrt(share * (1.0 - share) / n);
    EXPECT_NEAR(static_cast<double>(zeros) / n, share, 4.0 * deviation);
    EXPECT_NEAR(sum / n, 1.0, 4.0 * deviation / (1.0 - share));
  }
}

TEST(Dropout, DrawsEachUnitAndEachRowAnew) {
  const std::vector<float> mask = Mask(Dropout(0.5, 3, 7, 1));
  // Every unit's share over the rows, and every row's over the units: within 5.5 deviations of 0.5,
  // which one in 10^5 sets of 500 shares misses.
  for (int64_t unit = 0; unit < kUnits; ++unit) {
    double kept = 0.0;
    for (int64_t row = 0; row < kRows; ++row) {
      kept += mask[static_cast<size_t>(row * kUnits + unit)] != 0.0f ? 1.0 : 0.0;
    }
    EXPECT_NEAR(kept / kRows, 0.5, 5.5 * 0.5 / std::sqrt(kRows)) << "unit " << unit;
  }
  for (int64_t row = 0; row < kRows; ++row) {
    double kept = 0.0;
    for (int64_t unit = 0; unit < kUnits; ++unit) {
      kept += mask[static_cast<size_t>(row * kUnits + unit)] != 0.0f ? 1.0 : 0.0;
    }
    EXPECT_NEAR(kept / kUnits, 0.5, 5.5 * 0.5 / std::sqrt(kUnits)) << "row " << row;
  }
}

double Agreement(const std::vector<float>& a, const std::vector<float>& b) {
  double same = 0.0;
  for (size_t i = 0; i < a.size(); ++i) same += (a[i] == 0.0f) == (b[i] == 0.0f) ? 1.0 : 0.0;
  return same / static_cast<double>(a.size());
}

TEST(Dropout, OfAnotherSeedStepOrLayerIsUnrelated) {
  const std::vector<float> mask = Mask(Dropout(0.5, 3, 7, 1));
  const double tolerance = 4.0 * 0.5 / std::sqrt(kRows * kUnits);
  EXPECT_EQ(Agreement(mask, Mask(Dropout(0.5, 3, 7, 1))), 1.0);
  EXPECT_NEAR(Agreement(mask, Mask(Dropout(0.5, 4, 7, 1))), 0.5, tolerance);
  EXPECT_NEAR(Agreement(mask, Mask(Dropout(0.5, 3, 8, 1))), 0.5, tolerance);
  EXPECT_NEAR(Agreement(mask, Mask(Dropout(0.5, 3, 7, 2))), 0.5, tolerance);
}

TEST(Dropout, IsTheSameInEitherLayoutAndPart) {
  const Dropout dropout(0.3, 5, 2, 1);
  const std::vector<float> mask = Mask(dropout);
  std::vector<float> transposed(kRows * kUnits, 1.0f);
  dropout.ApplyToUnits(0, kUnits, 0, kRows, transposed.data(), kRows);
  for (int64_t row = 0; row < kRows; ++row) {
    for (int64_t unit = 0; unit < kUnits; ++unit) {
      ASSERT_EQ(transposed[static_cast<size_t>(unit * kRows + row)],
                mask[static_cast<size_t>(row * kUnits + unit)]);
    }
  }
  std::vector<float> part(3 * 8, 2.0f);
  dropout.ApplyToUnits(41, 3, 17, 5, part.data(), 8);
  for (int64_t u = 0; u < 3; ++u) {
    for (int64_t i = 0; i < 8; ++i) {
      const float expected =
          i < 5 ? 2.0f * mask[static_cast<size_t>((17 + i) * kUnits + 41 + u)] : 2.0f;
      EXPECT_EQ(part[static_cast<size_t>(u * 8 + i)], expected);
    }
  }
}

TEST(Dropout, OfNothingIsNotEnabled) {
  EXPECT_FALSE(Dropout(0.0, 1, 1, 1).enabled());
  EXPECT_TRUE(Dropout(0.1, 1, 1, 1).enabled());
}

}  // namespace
}  // namespace mlp

#include "core/data/augmentation_noise.h"

#include <array>
#include <cmath>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace mlp {
namespace {

// From augmentation_golden.py.
TEST(AugmentationNoise, MatchesGoldenValues) {
  float values[2 * kGroup];
  AugmentationNoise(1, 2, 3).Fill(2, values);
  EXPECT_EQ(values[0], -0.8992265462875366f);
  EXPECT_EQ(values[1], -0.1363518238067627f);
  EXPECT_EQ(values[15], -0.30644428730010986f);
  EXPECT_EQ(values[16], 0.1704798936843872f);
  AugmentationNoise(-1, 0, int64_t{1} << 40).Fill(1, values);
  EXPECT_EQ(values[0], 0.5921640396118164f);
  EXPECT_EQ(values[1], -0.1019676923751831f);
  EXPECT_EQ(values[2], -0.4334251880645752f);
}

TEST(AugmentationNoise, GoesOnWhereItStopped) {
  std::array<float, 48> at_once;
  AugmentationNoise(5, 6, 7).Fill(3, at_once.data());
  std::array<float, 48> in_parts;
  AugmentationNoise noise(5, 6, 7);
  noise.Fill(1, in_parts.data());
  noise.Fill(2, in_parts.data() + kGroup);
  EXPECT_EQ(at_once, in_parts);
}

TEST(AugmentationNoise, IsUniformFromMinusOneToOne) {
  constexpr int kGroups = 10'000;
  std::vector<float> values(size_t{kGroups} * kGroup);
  AugmentationNoise(1, 1, 1).Fill(kGroups, values.data());
  double sum = 0.0, squares = 0.0;
  std::array<int, 16> counts = {};
  for (const float value : values) {
    ASSERT_GE(value, -1.0f);
    ASSERT_LT(value, 1.0f);
    sum += value;
    squares += double{value} * value;
    ++counts[static_cast<size_t>((value + 1.0f) * 8.0f)];
  }
  // Five standard errors: sqrt(1/3 / N) for the mean, sqrt(4/45 / N) for the mean square.
  const auto n = static_cast<double>(values.size());
  EXPECT_NEAR(sum / n, 0.0, 5.0 * std::sqrt(1.0 / 3.0 / n));
  EXPECT_NEAR(squares / n, 1.0 / 3.0, 5.0 * std::sqrt(4.0 / 45.0 / n));
  // Chi-squared with 15 degrees of freedom: above 44.3 once in 10,000.
  double chi_squared = 0.0;
  for (const int count : counts) chi_squared += (count - n / 16) * (count - n / 16) / (n / 16);
  EXPECT_LT(chi_squared, 44.3);
}

// Of near seeds, epochs and rows, and of values that trade places, all 16 generators.
TEST(AugmentationNoise, SeedsEpochsAndRowsThatAreNearAreUnrelated) {
  std::set<float> firsts;
  for (int64_t seed = -3; seed < 3; ++seed) {
    for (int64_t epoch = 0; epoch < 6; ++epoch) {
      for (int64_t row = 0; row < 6; ++row) {
        float values[kGroup];
        AugmentationNoise(seed, epoch, row).Fill(1, values);
        firsts.insert(values, values + kGroup);
      }
    }
  }
  // Of 3,456 numbers of 2^24, 0.36 pairs are equal by chance.
  EXPECT_GE(firsts.size(), 3453u);
}

}  // namespace
}  // namespace mlp

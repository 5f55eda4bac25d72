#include "core/base/random.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlp {
namespace {

using ::testing::ElementsAre;

std::vector<double> FirstUniforms(int64_t seed, uint64_t stream) {
  Random random(seed, stream);
  return {random.Uniform(), random.Uniform(), random.Uniform()};
}

// The first numbers from the state 1234567, as in the authors' reference splitmix64.c.
TEST(SplitMix64, MatchesTheReference) {
  SplitMix64 generator(1234567);
  EXPECT_EQ(generator.Next(), 6457827717110365317u);
  EXPECT_EQ(generator.Next(), 3203168211198807973u);
  EXPECT_EQ(generator.Next(), 9817491932198370423u);
}

// From random_golden.py. Seeded results that are stored would change meaning if these did.
TEST(Random, UniformMatchesGoldenValues) {
  EXPECT_THAT(FirstUniforms(1, 7),
              ElementsAre(0.5857683668243658, 0.5374690477893462, 0.3280648336630064));
  EXPECT_THAT(FirstUniforms(-1, 7),
              ElementsAre(0.09693044812266882, 0.22464381728697325, 0.24351389089647346));
  EXPECT_THAT(FirstUniforms(1, 8),
              ElementsAre(0.19216640322871892, 0.12274634925231676, 0.9662541611506728));
}

TEST(Random, BelowMatchesGoldenValues) {
  Random random(42, 0);
  std::vector<uint64_t> values(12);
  for (uint64_t& value : values) value = random.Below(10);
  EXPECT_THAT(values, ElementsAre(7, 3, 5, 7, 2, 1, 2, 6, 6, 9, 2, 8));
}

TEST(Random, ShuffleMatchesGoldenValues) {
  std::vector<int> values(10);
  std::iota(values.begin(), values.end(), 0);
  Random(1, 7).Shuffle(values);
  EXPECT_THAT(values, ElementsAre(4, 5, 2, 8, 3, 7, 1, 6, 0, 9));
}

TEST(Random, UniformStaysInItsHalfOpenRange) {
  Random random(3, 0);
  for (int i = 0; i < 100'000; ++i) {
    const double unit = random.Uniform();
    ASSERT_GE(unit, 0.0);
    ASSERT_LT(unit, 1.0);
    const double range = random.Uniform(-2.0, 3.0);
    ASSERT_GE(range, -2.0);
    ASSERT_LT(range, 3.0);
  }
}

TEST(Random, NormalHasMeanZeroAndVarianceOne) {
  Random random(4, 0);
  constexpr int kDraws = 100'000;
  double sum = 0.0;
  double squares = 0.0;
  int beyond_two = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double value = random.Normal();
    ASSERT_TRUE(std::isfinite(value));
    sum += value;
    squares += value * value;
    beyond_two += std::abs(value) > 2.0 ? 1 : 0;
  }
  // Five standard errors: 1 / sqrt(N) for the mean, sqrt(2 / N) for the variance.
  EXPECT_NEAR(sum / kDraws, 0.0, 5.0 / std::sqrt(kDraws));
  EXPECT_NEAR(squares / kDraws, 1.0, 5.0 * std::sqrt(2.0 / kDraws));
  EXPECT_NEAR(static_cast<double>(beyond_two) / kDraws, 0.0455, 0.0035);
}

TEST(Random, BelowIsUniform) {
  constexpr uint64_t kBound = 6;
  constexpr int kDraws = 60'000;
  Random random(5, 0);
  std::vector<int> counts(kBound);
  for (int i = 0; i < kDraws; ++i) {
    const uint64_t value = random.Below(kBound);
    ASSERT_LT(value, kBound);
    ++counts[value];
  }
  // Chi-squared with 5 degrees of freedom: above 25.7 once in 10,000.
  double chi_squared = 0.0;
  for (const int count : counts) chi_squared += (count - 10'000.0) * (count - 10'000.0) / 10'000.0;
  EXPECT_LT(chi_squared, 25.7);
}

// With 3 * 2^62 a plain remainder would give the lowest quarter of [0, 2^64) twice: values below
// 2^62 half the time in place of a third.
TEST(Random, BelowHasNoModuloBias) {
  constexpr uint64_t kBound = uint64_t{3} << 62;
  constexpr int kDraws = 30'000;
  Random random(6, 0);
  int low = 0;
  for (int i = 0; i < kDraws; ++i) low += random.Below(kBound) < (uint64_t{1} << 62) ? 1 : 0;
  EXPECT_NEAR(static_cast<double>(low) / kDraws, 1.0 / 3.0, 0.015);
}

TEST(Random, BelowOneIsZero) {
  Random random(7, 0);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(random.Below(1), 0u);
}

TEST(Random, ShuffleIsAPermutation) {
  std::vector<int> values(1000);
  std::iota(values.begin(), values.end(), 0);
  std::vector<int> shuffled = values;
  Random(8, 0).Shuffle(shuffled);
  EXPECT_NE(shuffled, values);
  std::sort(shuffled.begin(), shuffled.end());
  EXPECT_EQ(shuffled, values);
}

TEST(Random, ShuffleGivesEveryPermutationAlike) {
  Random random(9, 0);
  std::map<std::vector<int>, int> counts;
  for (int i = 0; i < 6000; ++i) {
    std::vector<int> values = {0, 1, 2};
    random.Shuffle(values);
    ++counts[values];
  }
  ASSERT_EQ(counts.size(), 6u);
  for (const auto& [permutation, count] : counts) EXPECT_NEAR(count, 1000, 150);
}

TEST(Random, ShuffleLeavesShortVectorsAlone) {
  std::vector<int> empty;
  std::vector<int> one = {7};
  Random random(1, 0);
  random.Shuffle(empty);
  random.Shuffle(one);
  EXPECT_TRUE(empty.empty());
  EXPECT_THAT(one, ElementsAre(7));
}

TEST(Random, SeedsAndStreamsThatAreNearAreUnrelated) {
  std::map<double, int> firsts;
  for (int64_t seed = -50; seed < 50; ++seed) {
    for (uint64_t stream = 0; stream < 20; ++stream) ++firsts[Random(seed, stream).Uniform()];
  }
  EXPECT_EQ(firsts.size(), 2000u);
}

}  // namespace
}  // namespace mlp

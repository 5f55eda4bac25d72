// What holds for every split, over thousands of made-up datasets and fractions.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include "core/base/random.h"
#include "core/data/split.h"

namespace mlp {
namespace {

struct Case {
  std::vector<int32_t> labels;
  int classes = 0;
  std::array<int, 3> permille = {};  // the fractions as thousandths
  SplitOptions options;

  std::string Describe() const {
    return absl::StrCat(labels.size(), " rows, ", classes, " classes, ", permille[0], "/",
                        permille[1], "/", permille[2], " permille, seed ", options.seed,
                        options.stratified ? ", stratified" : ", plain");
  }
};

Case MakeCase(int64_t seed, bool stratified) {
  Random random(seed, 1);
  Case made;
  made.classes = 1 + static_cast<int>(random.Below(12));
  for (int k = 0; k < made.classes; ++k) {
    made.labels.insert(made.labels.end(), random.Below(20), k);
  }
  random.Shuffle(made.labels);
  // Half of the cases have round fractions: then many shares are whole numbers, which is where
  // sharing out is least free.
  const int unit = random.Below(2) == 0 ? 100 : 1;
  const auto below = [&random, unit](int bound) {
    return unit * static_cast<int>(random.Below(static_cast<uint64_t>(bound / unit)));
  };
  made.permille[0] = unit + below(1000);
  // A third of the cases have no validation part.
  const int rest = 1000 - made.permille[0];
  if (random.Below(3) > 0) {
    made.permille[1] = below(rest + unit);
  }
  made.permille[2] = rest - made.permille[1];
  made.options = {.training = made.permille[0] / 1000.0,
                  .validation = made.permille[1] / 1000.0,
                  .test = made.permille[2] / 1000.0,
                  .stratified = stratified,
                  .seed = seed};
  return made;
}

std::array<const std::vector<int64_t>*, 3> PartsOf(const Split& split) {
  return {&split.training, &split.validation, &split.test};
}

// In whole numbers, so without the rounding that the split must get right.
std::array<int64_t, 3> LargestRemainderSizes(const Case& made) {
  const auto rows = static_cast<int64_t>(made.labels.size());
  std::array<int64_t, 3> sizes = {};
  int64_t left = rows;
  for (size_t p = 0; p < 3; ++p) left -= sizes[p] = rows * made.permille[p] / 1000;
  std::array<bool, 3> taken = {};
  for (; left > 0; --left) {
    size_t best = 3;
    for (size_t p = 0; p < 3; ++p) {
      const int64_t remainder = rows * made.permille[p] % 1000;
      if (!taken[p] && (best == 3 || remainder > rows * made.permille[best] % 1000)) best = p;
    }
    taken[best] = true;
    ++sizes[best];
  }
  return sizes;
}

void ExpectDisjointCompleteAndSorted(const Split& split, size_t rows) {
  std::vector<int> seen(rows, 0);
  for (const std::vector<int64_t>* part : PartsOf(split)) {
    EXPECT_TRUE(std::is_sorted(part->begin(), part->end()));
    for (const int64_t row : *part) {
      ASSERT_GE(row, 0);
      ASSERT_LT(row, static_cast<int64_t>(rows));
      ++seen[static_cast<size_t>(row)];
    }
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), static_cast<std::ptrdiff_t>(rows));
}

void ExpectStratified(const Case& made, const Split& split) {
  std::vector<std::array<int64_t, 3>> counts(static_cast<size_t>(made.classes));
  std::vector<int64_t> sizes(static_cast<size_t>(made.classes), 0);
  for (size_t p = 0; p < 3; ++p) {
    for (const int64_t row : *PartsOf(split)[p]) {
      const auto label = static_cast<size_t>(made.labels[static_cast<size_t>(row)]);
      ++counts[label][p];
      ++sizes[label];
    }
  }
  for (size_t k = 0; k < counts.size(); ++k) {
    for (size_t p = 0; p < 3; ++p) {
      // |count - size * fraction| < 1, in thousandths.
      EXPECT_LT(std::abs(1000 * counts[k][p] - sizes[k] * made.permille[p]), 1000)
          << "class " << k << " part " << p << ": " << counts[k][p] << " of " << sizes[k];
    }
  }
}

void CheckCase(const Case& made, int* split_cases) {
  const std::array<int64_t, 3> sizes = LargestRemainderSizes(made);
  bool possible = true;
  for (size_t p = 0; p < 3; ++p) possible &= made.permille[p] == 0 || sizes[p] > 0;
  const absl::StatusOr<Split> split = SplitRows(made.labels, made.classes, made.options);
  if (!possible) {
    EXPECT_EQ(split.status().code(), absl::StatusCode::kFailedPrecondition) << split.status();
    return;
  }
  ASSERT_TRUE(split.ok()) << split.status();
  ++*split_cases;
  for (size_t p = 0; p < 3; ++p) {
    EXPECT_EQ(PartsOf(*split)[p]->size(), static_cast<size_t>(sizes[p])) << "part " << p;
  }
  ExpectDisjointCompleteAndSorted(*split, made.labels.size());
  if (made.options.stratified) ExpectStratified(made, *split);
}

TEST(SplitProperty, HoldsForThousandsOfCases) {
  int split_cases = 0;
  for (int64_t seed = 0; seed < 4000; ++seed) {
    for (const bool stratified : {true, false}) {
      const Case made = MakeCase(seed, stratified);
      SCOPED_TRACE(made.Describe());
      CheckCase(made, &split_cases);
      if (testing::Test::HasFailure()) return;
    }
  }
  EXPECT_GT(split_cases, 6000);  // few of the made-up cases leave a part empty
}

TEST(SplitProperty, ManySmallClassesKeepTotals) {
  Case made;
  made.classes = 10'000;
  for (int k = 0; k < made.classes; ++k) made.labels.insert(made.labels.end(), 1 + k % 7, k);
  made.permille = {617, 191, 192};
  made.options = {.training = 0.617, .validation = 0.191, .test = 0.192};
  int split_cases = 0;
  CheckCase(made, &split_cases);
  EXPECT_EQ(split_cases, 1);
}

void ExpectSame(const Split& a, const Split& b) {
  EXPECT_EQ(a.training, b.training);
  EXPECT_EQ(a.validation, b.validation);
  EXPECT_EQ(a.test, b.test);
}

TEST(SplitProperty, SameSeedSameSplitAndAnotherSeedAnother) {
  std::vector<int32_t> labels(500);
  for (size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<int32_t>(i % 10);
  for (const bool stratified : {true, false}) {
    SplitOptions options = {.training = 0.6, .validation = 0.2, .test = 0.2};
    options.stratified = stratified;
    options.seed = 11;
    const Split first = *SplitRows(labels, 10, options);
    ExpectSame(first, *SplitRows(labels, 10, options));
    options.seed = 12;
    const Split other = *SplitRows(labels, 10, options);
    EXPECT_NE(first.training, other.training);
    EXPECT_NE(first.test, other.test);
  }
}

// Over many seeds every row gets into the test part about as often as its fraction says.
TEST(SplitProperty, EveryRowIsAsLikelyInAPartAsAnyOther) {
  constexpr int kSeeds = 2000;
  const std::vector<int32_t> labels = {0, 0, 0, 1, 1, 1, 1, 2, 2, 2};
  for (const bool stratified : {true, false}) {
    std::vector<int> in_test(labels.size(), 0);
    for (int seed = 0; seed < kSeeds; ++seed) {
      SplitOptions options = {.training = 0.7, .validation = 0.0, .test = 0.3};
      options.stratified = stratified;
      options.seed = seed;
      const absl::StatusOr<Split> split = SplitRows(labels, 3, options);
      ASSERT_TRUE(split.ok()) << split.status();
      for (const int64_t row : split->test) ++in_test[static_cast<size_t>(row)];
    }
    // Stratified: 1 of 3, 1 of 4 and 1 of 3 rows; plain: 3 of 10. Four standard errors are 0.042.
    for (size_t row = 0; row < labels.size(); ++row) {
      const double expected = stratified ? (labels[row] == 1 ? 0.25 : 1.0 / 3.0) : 0.3;
      EXPECT_NEAR(static_cast<double>(in_test[row]) / kSeeds, expected, 0.042) << "row " << row;
    }
  }
}

}  // namespace
}  // namespace mlp

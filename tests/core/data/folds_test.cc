#include "core/data/folds.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include "core/base/random.h"

namespace mlp {
namespace {

struct Case {
  std::vector<int32_t> labels;  // of all rows of the dataset
  std::vector<int64_t> rows;    // those to cut up
  int classes = 0;
};

// Labels of uneven classes, and about two thirds of the rows.
Case MakeCase(int64_t seed) {
  Random random(seed, 1);
  Case made;
  made.classes = 1 + static_cast<int>(random.Below(9));
  for (int k = 0; k < made.classes; ++k) {
    made.labels.insert(made.labels.end(), 1 + random.Below(30), k);
  }
  random.Shuffle(made.labels);
  for (size_t row = 0; row < made.labels.size(); ++row) {
    if (random.Below(3) > 0 || row == 0) made.rows.push_back(static_cast<int64_t>(row));
  }
  return made;
}

// How many rows of each class; and of all classes, last.
std::vector<int64_t> Counts(const Case& made, const std::vector<int64_t>& rows) {
  std::vector<int64_t> counts(static_cast<size_t>(made.classes) + 1, 0);
  for (const int64_t row : rows) {
    ++counts[static_cast<size_t>(made.labels[static_cast<size_t>(row)])];
    ++counts.back();
  }
  return counts;
}

TEST(CutIntoFolds, HasEveryRowInExactlyOneFold) {
  for (int64_t seed = 0; seed < 500; ++seed) {
    const Case made = MakeCase(seed);
    const auto rows = static_cast<int>(made.rows.size());
    const int folds = 1 + static_cast<int>(seed) % std::min(rows, 13);
    for (const bool stratified : {true, false}) {
      SCOPED_TRACE(absl::StrCat("seed ", seed, ", ", folds, " folds of ", rows, " rows",
                                stratified ? ", stratified" : ""));
      const auto cut = CutIntoFolds(made.rows, made.labels, made.classes,
                                    {.folds = folds, .stratified = stratified, .seed = seed});
      ASSERT_EQ(cut.size(), static_cast<size_t>(folds));
      std::vector<int64_t> together;
      for (const std::vector<int64_t>& fold : cut) {
        EXPECT_TRUE(std::is_sorted(fold.begin(), fold.end()));
        together.insert(together.end(), fold.begin(), fold.end());
      }
      std::sort(together.begin(), together.end());
      EXPECT_EQ(together, made.rows);
    }
  }
}

TEST(CutIntoFolds, FoldsAreAlikeInSizeAndStratifiedInEveryClass) {
  for (int64_t seed = 0; seed < 500; ++seed) {
    const Case made = MakeCase(seed);
    const auto rows = static_cast<int>(made.rows.size());
    const int folds = 1 + static_cast<int>(seed) % std::min(rows, 13);
    for (const bool stratified : {true, false}) {
      SCOPED_TRACE(absl::StrCat("seed ", seed, ", ", folds, " folds of ", rows, " rows"));
      const auto cut = CutIntoFolds(made.rows, made.labels, made.classes,
                                    {.folds = folds, .stratified = stratified, .seed = seed});
      std::vector<int64_t> least = Counts(made, cut.front());
      std::vector<int64_t> most = least;
      for (const std::vector<int64_t>& fold : cut) {
        const std::vector<int64_t> counts = Counts(made, fold);
        for (size_t k = 0; k < counts.size(); ++k) {
          least[k] = std::min(least[k], counts[k]);
          most[k] = std::max(most[k], counts[k]);
        }
      }
      EXPECT_LE(most.back() - least.back(), 1);
      for (size_t k = 0; stratified && k < most.size(); ++k) EXPECT_LE(most[k] - least[k], 1);
    }
  }
}

TEST(CutIntoFolds, FollowsTheSeed) {
  std::vector<int32_t> labels(200);
  for (size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<int32_t>(i % 4);
  std::vector<int64_t> rows(labels.size());
  std::iota(rows.begin(), rows.end(), 0);
  for (const bool stratified : {true, false}) {
    const auto cut = [&](int64_t seed) {
      return CutIntoFolds(rows, labels, 4, {.folds = 5, .stratified = stratified, .seed = seed});
    };
    EXPECT_EQ(cut(3), cut(3));
    EXPECT_NE(cut(3), cut(4));
  }
}

}  // namespace
}  // namespace mlp

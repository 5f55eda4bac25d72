#include "core/data/row_order.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include "core/base/random.h"

namespace mlp {
namespace {

std::vector<int64_t> AllRows(const std::vector<int32_t>& labels) {
  std::vector<int64_t> rows(labels.size());
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

std::vector<int32_t> LabelsOf(const std::vector<int>& class_sizes) {
  std::vector<int32_t> labels;
  for (size_t k = 0; k < class_sizes.size(); ++k) {
    labels.insert(labels.end(), static_cast<size_t>(class_sizes[k]), static_cast<int32_t>(k));
  }
  return labels;
}

// Of every beginning each class has its share of all rows to within one.
void ExpectStratified(const std::vector<int32_t>& labels, int classes,
                      const std::vector<int64_t>& order) {
  std::vector<double> sizes(static_cast<size_t>(classes), 0.0);
  for (const int32_t label : labels) sizes[static_cast<size_t>(label)] += 1.0;
  std::vector<double> counts(sizes.size(), 0.0);
  for (size_t n = 1; n <= order.size(); ++n) {
    counts[static_cast<size_t>(labels[static_cast<size_t>(order[n - 1])])] += 1.0;
    for (size_t k = 0; k < counts.size(); ++k) {
      const double share = sizes[k] * static_cast<double>(n) / static_cast<double>(order.size());
      ASSERT_LT(std::abs(counts[k] - share), 1.0) << "class " << k << " of the first " << n;
    }
  }
}

TEST(OrderRows, IsAPermutation) {
  const std::vector<int32_t> labels = LabelsOf({30, 0, 5, 1});
  const std::vector<int64_t> rows = {0, 2, 3, 9, 30, 31, 34, 35};
  for (const bool stratified : {true, false}) {
    std::vector<int64_t> order = OrderRows(rows, labels, 4, {.stratified = stratified, .seed = 5});
    EXPECT_NE(order, rows);
    std::sort(order.begin(), order.end());
    EXPECT_EQ(order, rows);
  }
  EXPECT_TRUE(OrderRows({}, labels, 4, {}).empty());
}

TEST(OrderRows, EveryBeginningIsStratified) {
  // One class that outweighs many, where classes in turn or by rank would be far off.
  std::vector<std::vector<int>> cases = {
      {991, 1, 1, 1, 1, 1, 1, 1, 1, 1}, {7}, {50, 50}, {1, 1, 1}};
  Random random(11, 1);
  for (int i = 0; i < 300; ++i) {
    std::vector<int>& sizes = cases.emplace_back(2 + random.Below(40));
    for (int& size : sizes) size = static_cast<int>(random.Below(i % 2 == 0 ? 60 : 6));
  }
  for (size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(absl::StrCat("case ", i));
    std::vector<int32_t> labels = LabelsOf(cases[i]);
    random.Shuffle(labels);
    const auto classes = static_cast<int>(cases[i].size());
    ExpectStratified(labels, classes,
                     OrderRows(AllRows(labels), labels, classes,
                               {.stratified = true, .seed = static_cast<int64_t>(i)}));
    if (HasFailure()) return;
  }
}

TEST(OrderRows, FollowsTheSeed) {
  const std::vector<int32_t> labels = LabelsOf({40, 40, 20});
  for (const bool stratified : {true, false}) {
    const auto order = [&](int64_t seed) {
      return OrderRows(AllRows(labels), labels, 3, {.stratified = stratified, .seed = seed});
    };
    EXPECT_EQ(order(1), order(1));
    EXPECT_NE(order(1), order(2));
  }
}

}  // namespace
}  // namespace mlp

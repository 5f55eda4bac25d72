#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/random.h"
#include "core/nn/avx512.h"
#include "core/nn/panels.h"
#include "core/nn/sparse_product_avx512.h"
#include "core/nn/sparse_rows.h"

namespace mlp {
namespace {

// [rows x columns] row-major, of which `share` is not 0.
std::vector<float> ManyZeros(int64_t rows, int64_t columns, double share) {
  Random random(5, 0);
  std::vector<float> values;
  for (int64_t i = 0; i < rows * columns; ++i) {
    const bool kept = random.Uniform() < share;
    values.push_back(kept ? static_cast<float>(random.Uniform(-1.0, 1.0)) : 0.0f);
  }
  return values;
}

SparseRows ListsOf(const std::vector<float>& values, int64_t rows, int64_t columns) {
  SparseRows lists(rows, columns);
  for (int64_t i = 0; i < rows; ++i) {
    std::copy_n(values.begin() + i * columns, columns, lists.Dense(i));
    lists.Compress(i, columns);
  }
  return lists;
}

class SparseRowsOfShare : public testing::TestWithParam<double> {};

INSTANTIATE_TEST_SUITE_P(Shares, SparseRowsOfShare, testing::Values(0.0, 0.2, 0.7, 1.0));

TEST_P(SparseRowsOfShare, ListWhatIsNotZeroInOrder) {
  for (const int64_t columns : {1, 15, 16, 17, 33, 100}) {
    const std::vector<float> values = ManyZeros(3, columns, GetParam());
    const SparseRows lists = ListsOf(values, 3, columns);
    for (int64_t i = 0; i < 3; ++i) {
      const SparseRow row = *lists.from(i);
      int64_t k = 0;
      for (int64_t j = 0; j < columns; ++j) {
        const float value = values[static_cast<size_t>(i * columns + j)];
        if (value == 0.0f) continue;
        ASSERT_LT(k, row.count) << columns << " columns";
        EXPECT_EQ(row.columns[k], j);
        EXPECT_EQ(row.values[k++], value);
      }
      EXPECT_EQ(k, row.count) << columns << " columns";
    }
  }
}

TEST(SparseRows, LeaveOutEitherZeroAndKeepWhatIsNoNumber) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> values(18, 0.0f);
  values[3] = -0.0f;
  values[5] = kNan;
  values[16] = -0.0f;
  values[17] = kNan;
  const SparseRows lists = ListsOf(values, 1, 18);
  const SparseRow row = *lists.from(0);
  ASSERT_EQ(row.count, 2);
  EXPECT_EQ(row.columns[0], 5);
  EXPECT_EQ(row.columns[1], 17);
  EXPECT_TRUE(std::isnan(row.values[0]) && std::isnan(row.values[1]));
}

// The rows of another batch leave nothing behind.
TEST(SparseRows, AreMadeAnew) {
  SparseRows lists(1, 20);
  std::fill_n(lists.Dense(0), 20, 1.0f);
  lists.Compress(0, 20);
  EXPECT_EQ(lists.from(0)->count, 20);
  std::fill_n(lists.Dense(0), 20, 0.0f);
  lists.Compress(0, 20);
  EXPECT_EQ(lists.from(0)->count, 0);
}

TEST(SparseRows, AreWorthTheirWhileWhereMostIsZero) {
  std::vector<float> values(40 * 100, 0.0f);
  EXPECT_TRUE(MostlyZeros(values.data(), 40, 100));
  for (size_t i = 0; i < values.size(); i += 5) values[i] = 1.0f;
  EXPECT_TRUE(MostlyZeros(values.data(), 40, 100));
  for (size_t i = 0; i < values.size(); i += 2) values[i] = 1.0f;
  EXPECT_FALSE(MostlyZeros(values.data(), 40, 100));
  EXPECT_TRUE(MostlyZeros(values.data(), 40, 100, /*share=*/0.4));
}

// Against a plain loop over everything, zeros too, in the order that is promised.
constexpr float kUntouched = 77.0f;

TEST(SparseProduct, HasTheBitsOfTheWholeProduct) {
  if (!HasAvx512()) GTEST_SKIP() << "no AVX-512 here";
  for (const double share : {0.0, 0.2, 1.0}) {
    for (const int64_t columns : {1, 16, 17, 40, 63, 64}) {
      for (const bool starts : {false, true}) {
        constexpr int64_t kRows = 8, kDepth = 37, kRowOfC = 70;
        const std::vector<float> a = ManyZeros(kRows, kDepth, share);
        const SparseRows lists = ListsOf(a, kRows, kDepth);
        const int64_t b_row = (columns + 15) / 16 * 16;
        Random random(6, 0);
        // Memory on cache lines.
        Panels b(kDepth, b_row, b_row), start(1, b_row, b_row);
        std::vector<float> c(kRows * kRowOfC, kUntouched);
        for (int64_t i = 0; i < kDepth * b_row; ++i) {
          b.row(0, 0)[i] = static_cast<float>(random.Uniform(-1.0, 1.0));
        }
        for (int64_t j = 0; j < columns; ++j) start.row(0, 0)[j] = static_cast<float>(j);
        // From row 1 on: those before belong to others.
        MultiplySparse({.a = lists.from(1),
                        .rows = kRows - 1,
                        .columns = columns,
                        .b = b.row(0, 0),
                        .b_row = b_row,
                        .start = starts ? start.row(0, 0) : nullptr,
                        .c = c.data() + kRowOfC,
                        .c_row = kRowOfC});
        for (int64_t i = 1; i < kRows; ++i) {
          for (int64_t j = 0; j < columns; ++j) {
            float sum = starts ? static_cast<float>(j) : 0.0f;
            for (int64_t k = 0; k < kDepth; ++k) {
              sum = std::fma(a[static_cast<size_t>(i * kDepth + k)], b.row(0, k)[j], sum);
            }
            ASSERT_EQ(std::memcmp(&sum, c.data() + i * kRowOfC + j, sizeof(float)), 0)
                << "share " << share << ", " << columns << " columns, entry " << i << ", " << j;
          }
          for (int64_t j = columns; j < kRowOfC; ++j) {
            ASSERT_EQ(c[static_cast<size_t>(i * kRowOfC + j)], kUntouched);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace mlp

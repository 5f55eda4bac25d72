#include "client/load/latency_histogram.h"

#include <algorithm>
#include <cmath>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/load/latency_bins.h"

namespace mlp {
namespace {

constexpr double kQuantiles[] = {0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1};

LatencyHistogram Of(const std::vector<int64_t>& values) {
  LatencyHistogram histogram;
  for (const int64_t value : values) histogram.Record(value);
  return histogram;
}

// The definition, on all values: the smallest that at least a share q does not exceed.
int64_t NearestRank(std::vector<int64_t> values, double q) {
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<int64_t>(std::ceil(q * static_cast<double>(values.size())));
  return values[static_cast<size_t>(std::max<int64_t>(rank, 1) - 1)];
}

// From 1 ns to 100 s, evenly on a logarithmic scale.
std::vector<int64_t> Spread(size_t count) {
  std::mt19937_64 generator(7);
  std::uniform_real_distribution<double> exponent(0, 11);
  std::vector<int64_t> values;
  while (values.size() < count) {
    values.push_back(static_cast<int64_t>(std::pow(10, exponent(generator))));
  }
  return values;
}

TEST(LatencyHistogram, IsZeroWhereNothingWasRecorded) {
  const LatencyHistogram histogram;
  EXPECT_EQ(histogram.count(), 0);
  EXPECT_EQ(histogram.min_ns(), 0);
  EXPECT_EQ(histogram.max_ns(), 0);
  EXPECT_EQ(histogram.mean_ns(), 0);
  EXPECT_EQ(histogram.QuantileNs(0.5), 0);
  EXPECT_TRUE(histogram.buckets().empty());
}

TEST(LatencyHistogram, QuantilesOfSmallSetsAreExact) {
  for (const std::vector<int64_t>& values : {std::vector<int64_t>{5},
                                             {1, 2},
                                             {250, 3, 77, 77, 12, 0},
                                             {255, 254, 253, 1},
                                             {1'234'567'891},
                                             {987'654'321, 987'654'321, 987'654'321}}) {
    const LatencyHistogram histogram = Of(values);
    for (const double q : kQuantiles) {
      EXPECT_EQ(histogram.QuantileNs(q), NearestRank(values, q)) << values.size() << " at " << q;
    }
  }
}

TEST(LatencyHistogram, QuantilesAreWithinHalfAPercent) {
  const std::vector<int64_t> values = Spread(20'000);
  const LatencyHistogram histogram = Of(values);
  for (const double q : kQuantiles) {
    const auto expected = static_cast<double>(NearestRank(values, q));
    EXPECT_NEAR(static_cast<double>(histogram.QuantileNs(q)), expected, 0.004 * expected) << q;
  }
}

TEST(LatencyHistogram, EveryValueLiesInItsBucket) {
  std::vector<int64_t> values = Spread(2'000);
  for (int shift = 0; shift < 63; ++shift) {
    values.push_back(int64_t{1} << shift);
    values.push_back((int64_t{1} << shift) - 1);
  }
  values.push_back(INT64_MAX);
  for (const int64_t value : values) {
    const auto buckets = Of({value}).buckets();
    ASSERT_EQ(buckets.size(), 1u);
    EXPECT_EQ(buckets[0].count, 1);
    EXPECT_LE(buckets[0].from_ns, value);
    EXPECT_TRUE(value < buckets[0].to_ns || value == INT64_MAX) << value;
    const auto width = static_cast<double>(buckets[0].to_ns - buckets[0].from_ns);
    EXPECT_LE(width, std::max(1.0, static_cast<double>(value) / 128)) << value;
  }
}

TEST(LatencyHistogram, MeanAndEndsAreExact) {
  const LatencyHistogram histogram = Of({1'000'003, 3'000'001, -5});
  EXPECT_EQ(histogram.count(), 3);
  EXPECT_EQ(histogram.min_ns(), 0);
  EXPECT_EQ(histogram.max_ns(), 3'000'001);
  EXPECT_DOUBLE_EQ(histogram.mean_ns(), 4'000'004.0 / 3);
}

TEST(LatencyHistogram, MergedIsAsRecordedInOne) {
  const std::vector<int64_t> values = Spread(1'000);
  LatencyHistogram parts[3];
  for (size_t i = 0; i < values.size(); ++i) parts[i % 3].Record(values[i]);
  LatencyHistogram merged;
  for (const LatencyHistogram& part : parts) merged.Merge(part);
  const LatencyHistogram whole = Of(values);
  EXPECT_EQ(merged.count(), whole.count());
  EXPECT_EQ(merged.min_ns(), whole.min_ns());
  EXPECT_EQ(merged.max_ns(), whole.max_ns());
  EXPECT_NEAR(merged.mean_ns(), whole.mean_ns(), 1e-6 * whole.mean_ns());
  for (const double q : kQuantiles) EXPECT_EQ(merged.QuantileNs(q), whole.QuantileNs(q));
}

std::vector<int64_t> EndsOf(const std::vector<LatencyHistogram::Bucket>& bins) {
  std::vector<int64_t> ends = {bins.at(0).from_ns};
  for (const auto& bin : bins) ends.push_back(bin.to_ns);
  return ends;
}

TEST(LogBins, EndAtRoundNumbers) {
  const auto bins = LogBins(Of({110'000, 150'500, 151'000, 260'000}), 10);
  EXPECT_THAT(EndsOf(bins), testing::ElementsAre(110'000, 120'000, 130'000, 150'000, 160'000,
                                                 180'000, 200'000, 220'000, 240'000, 270'000));
  EXPECT_EQ(bins[3].count, 2);
  EXPECT_THAT(EndsOf(LogBins(Of({110'000, 260'000}), 6)),
              testing::ElementsAre(100'000, 120'000, 150'000, 180'000, 220'000, 270'000));
}

TEST(LogBins, HoldEveryLatencyWithinTheirNumber) {
  for (const size_t count : {1u, 10u, 5000u}) {
    const LatencyHistogram histogram = Of(Spread(count));
    for (const int most : {12, 20, 40}) {
      const auto bins = LogBins(histogram, most);
      EXPECT_LE(static_cast<int>(bins.size()), most);
      int64_t sum = 0;
      for (size_t i = 0; i < bins.size(); ++i) {
        sum += bins[i].count;
        EXPECT_LT(bins[i].from_ns, bins[i].to_ns);
        EXPECT_EQ(bins[i].from_ns, i > 0 ? bins[i - 1].to_ns : bins[0].from_ns);
      }
      EXPECT_EQ(sum, histogram.count());
      EXPECT_GT(bins.front().count, 0);
    }
  }
}

TEST(LogBins, ThereAreNoneOfNothing) { EXPECT_TRUE(LogBins(LatencyHistogram(), 10).empty()); }

}  // namespace
}  // namespace mlp

#include "client/load/latency_bins.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

namespace mlp {
namespace {

// Tenths of the ends between two powers of ten.
const std::initializer_list<std::vector<int64_t>> kSeries = {
    {10, 11, 12, 13, 15, 16, 18, 20, 22, 24, 27, 30,
     33, 36, 39, 43, 47, 51, 56, 62, 68, 75, 82, 91},
    {10, 12, 15, 18, 22, 27, 33, 39, 47, 56, 68, 82},
    {10, 15, 22, 33, 47, 68},
    {10, 20, 50},
    {10}};

// The ends from the last that is not above `least` to the first that is above `largest`.
std::vector<int64_t> Ends(const std::vector<int64_t>& series, int64_t least, int64_t largest) {
  std::vector<int64_t> ends;
  for (int64_t power = 1; power <= INT64_MAX / 100; power *= 10) {
    for (const int64_t tenths : series) {
      const int64_t end = power == 1 ? tenths / 10 : tenths * (power / 10);
      if (!ends.empty() && end <= ends.back()) continue;  // below 10 ns the tenths fall together
      if (end <= least) ends.clear();
      ends.push_back(end);
      if (end > largest) return ends;
    }
  }
  ends.push_back(INT64_MAX);
  return ends;
}

}  // namespace

std::vector<LatencyHistogram::Bucket> LogBins(const LatencyHistogram& histogram, int max_bins) {
  std::vector<LatencyHistogram::Bucket> bins;
  if (histogram.count() == 0) return bins;
  const int64_t least = std::max<int64_t>(1, histogram.min_ns());
  std::vector<int64_t> ends;
  for (const auto& series : kSeries) {
    ends = Ends(series, least, std::max(least, histogram.max_ns()));
    if (static_cast<int>(ends.size()) - 1 <= max_bins) break;
  }
  for (size_t i = 0; i + 1 < ends.size(); ++i) bins.push_back({ends[i], ends[i + 1], 0});
  size_t bin = 0;
  for (const LatencyHistogram::Bucket& bucket : histogram.buckets()) {
    const int64_t middle = bucket.from_ns + (bucket.to_ns - bucket.from_ns) / 2;
    while (bin + 1 < bins.size() && middle >= bins[bin].to_ns) ++bin;
    bins[bin].count += bucket.count;
  }
  return bins;
}

}  // namespace mlp

#include "client/load/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace mlp {
namespace {

constexpr int kSubBits = 7;
constexpr int64_t kSubBuckets = int64_t{1} << kSubBits;
constexpr int kMaxShift = 63 - (kSubBits + 1);
constexpr size_t kBuckets = (kMaxShift + 2) * kSubBuckets;

// A value is cut to its kSubBits + 1 highest bits: bucket = shift * 128 + (value >> shift).
size_t IndexOf(int64_t ns) {
  const int shift =
      std::max(0, static_cast<int>(std::bit_width(static_cast<uint64_t>(ns))) - (kSubBits + 1));
  return static_cast<size_t>(shift * kSubBuckets + (ns >> shift));
}

int ShiftOf(size_t index) {
  return std::max(0, static_cast<int>(index / static_cast<size_t>(kSubBuckets)) - 1);
}

int64_t FromOf(size_t index) {
  const int shift = ShiftOf(index);
  return (static_cast<int64_t>(index) - shift * kSubBuckets) << shift;
}

// The value that stands for all of a bucket.
int64_t MiddleOf(size_t index) { return FromOf(index) + (int64_t{1} << ShiftOf(index)) / 2; }

}  // namespace

LatencyHistogram::LatencyHistogram() : counts_(kBuckets, 0) {}

void LatencyHistogram::Record(int64_t ns) {
  ns = std::max<int64_t>(0, ns);
  ++counts_[IndexOf(ns)];
  ++count_;
  min_ns_ = std::min(min_ns_, ns);
  max_ns_ = std::max(max_ns_, ns);
  sum_ns_ += static_cast<double>(ns);
}

void LatencyHistogram::Merge(const LatencyHistogram& other) {
  for (size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  min_ns_ = std::min(min_ns_, other.min_ns_);
  max_ns_ = std::max(max_ns_, other.max_ns_);
  sum_ns_ += other.sum_ns_;
}

double LatencyHistogram::mean_ns() const {
  return count_ > 0 ? sum_ns_ / static_cast<double>(count_) : 0;
}

int64_t LatencyHistogram::QuantileNs(double q) const {
  if (count_ == 0) return 0;
  const auto rank = std::clamp(static_cast<int64_t>(std::ceil(q * static_cast<double>(count_))),
                               int64_t{1}, count_);
  if (rank == 1) return min_ns_;
  if (rank == count_) return max_ns_;
  int64_t seen = 0;
  size_t index = 0;
  while ((seen += counts_[index]) < rank) ++index;
  return std::clamp(MiddleOf(index), min_ns_, max_ns_);
}

std::vector<LatencyHistogram::Bucket> LatencyHistogram::buckets() const {
  std::vector<Bucket> result;
  for (size_t i = 0; i < kBuckets; ++i) {
    if (counts_[i] == 0) continue;
    const int64_t from = FromOf(i);
    const int64_t width = int64_t{1} << ShiftOf(i);
    result.push_back({from, from > INT64_MAX - width ? INT64_MAX : from + width, counts_[i]});
  }
  return result;
}

}  // namespace mlp

// Latencies counted rather than kept: any number of them in 57 KiB.
#pragma once

#include <cstdint>
#include <vector>

namespace mlp {

// Buckets of equal width between two powers of two, 128 of them, as in HdrHistogram: what is read
// back is within 0.4 % of what was recorded, and exact below 256 ns. Least, largest and mean are
// exact always. Thread-compatible.
class LatencyHistogram {
 public:
  struct Bucket {
    int64_t from_ns = 0;
    int64_t to_ns = 0;  // not included
    int64_t count = 0;
  };

  LatencyHistogram();

  // Negative values count as 0.
  void Record(int64_t ns);
  void Merge(const LatencyHistogram& other);

  int64_t count() const { return count_; }
  // All four are 0 where nothing was recorded.
  int64_t min_ns() const { return count_ > 0 ? min_ns_ : 0; }
  int64_t max_ns() const { return max_ns_; }
  double mean_ns() const;
  // The smallest recorded latency that at least a share q of all do not exceed; q in [0, 1].
  int64_t QuantileNs(double q) const;

  // Those with a count, in order.
  std::vector<Bucket> buckets() const;

 private:
  std::vector<int64_t> counts_;
  int64_t count_ = 0;
  int64_t min_ns_ = INT64_MAX;
  int64_t max_ns_ = 0;
  double sum_ns_ = 0;
};

}  // namespace mlp

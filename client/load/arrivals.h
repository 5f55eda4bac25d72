// When the calls of an open loop are due.
#pragma once

#include <cstdint>
#include <random>

namespace mlp {

enum class Arrivals {
  // At equal distances.
  kConstant,
  // Each independent of the others, as from many callers: the distances are exponential.
  kPoisson,
};

struct ArrivalOptions {
  Arrivals kind = Arrivals::kPoisson;
  // Calls a second, more than 0.
  double rate = 0;
  // Of the Poisson arrivals.
  uint64_t seed = 1;
  // Of the constant ones: the first, so that several schedules interleave.
  int64_t first_ns = 0;
};

// Does not depend on how long calls take: that is what makes the loop open. Thread-compatible.
class ArrivalSchedule {
 public:
  explicit ArrivalSchedule(const ArrivalOptions& options);

  // The next call's time in nanoseconds after the start; never before the last one's.
  int64_t Next();

 private:
  const ArrivalOptions options_;
  const double ns_per_call_;
  std::mt19937_64 generator_;
  int64_t calls_ = 0;
  double poisson_ns_ = 0;
};

}  // namespace mlp

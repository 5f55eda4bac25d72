#include "client/load/arrivals.h"

#include <cmath>

namespace mlp {

ArrivalSchedule::ArrivalSchedule(const ArrivalOptions& options)
    : options_(options), ns_per_call_(1e9 / options.rate), generator_(options.seed) {}

int64_t ArrivalSchedule::Next() {
  if (options_.kind == Arrivals::kConstant) {
    // From the count, so that no error adds up.
    return options_.first_ns + std::llround(static_cast<double>(calls_++) * ns_per_call_);
  }
  const double uniform = static_cast<double>(generator_() >> 11) * 0x1p-53;  // [0, 1)
  poisson_ns_ -= std::log1p(-uniform) * ns_per_call_;
  return static_cast<int64_t>(poisson_ns_);
}

}  // namespace mlp

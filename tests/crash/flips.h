// Damage of a stored artifact, one bit and one byte of length at a time.
#pragma once

#include <string>

#include <absl/status/statusor.h>

#include "core/base/clock.h"

namespace mlp::crash {

struct FlipCounts {
  int states = 0;  // damaged artifacts that were asked for
  int served = 0;  // of them, answered with bytes
};

// Publishes an artifact into a new store, and then, in the database file, flips each of its bits
// and cuts it to each shorter length, and asks the store for it each time.
absl::StatusOr<FlipCounts> FlipEveryBit(const std::string& folder, const Clock& clock);

}  // namespace mlp::crash

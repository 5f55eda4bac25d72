// Time, injected wherever the product reads it so that tests can set it.
#pragma once

#include <absl/time/time.h>

namespace mlp {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  // Wall time, for records and log lines.
  virtual absl::Time Now() const = 0;

  // Time since an arbitrary fixed point; never runs backwards. For durations.
  virtual absl::Duration Elapsed() const = 0;

  // The machine's clocks; lives for ever.
  static const Clock& System();
};

}  // namespace mlp

// Time as a load sees it, injected so that tests step it.
#pragma once

#include <cstdint>
#include <stop_token>

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

namespace mlp {

// Thread-safe.
class LoadClock {
 public:
  virtual ~LoadClock() = default;

  // Nanoseconds since some moment; never goes back.
  virtual int64_t NowNs() = 0;
  // False where `stop` was requested before.
  virtual bool SleepUntil(int64_t ns, const std::stop_token& stop) = 0;

  // Until the condition holds.
  virtual void Await(absl::Mutex& mutex, const absl::Condition& condition)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) = 0;

  // The machine's; lives for ever.
  static LoadClock& System();
};

}  // namespace mlp

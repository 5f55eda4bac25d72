#include "client/load/load_clock.h"

#include <chrono>
#include <condition_variable>
#include <mutex>

#include <sys/prctl.h>

namespace mlp {
namespace {

using SteadyClock = std::chrono::steady_clock;

class SystemLoadClock final : public LoadClock {
 public:
  int64_t NowNs() override {
    return std::chrono::nanoseconds(SteadyClock::now().time_since_epoch()).count();
  }

  bool SleepUntil(int64_t ns, const std::stop_token& stop) override {
    if (stop.stop_requested()) return false;
    if (ns <= NowNs()) return true;
    // Linux adds up to 50 us to a thread's sleeps unless told otherwise.
    static thread_local const int precise = prctl(PR_SET_TIMERSLACK, 1);
    static_cast<void>(precise);
    const SteadyClock::time_point until{std::chrono::nanoseconds(ns)};
    std::mutex mutex;
    std::condition_variable_any woken;
    std::unique_lock lock(mutex);
    woken.wait_until(lock, stop, until, [] { return false; });
    return !stop.stop_requested();
  }

  void Await(absl::Mutex& mutex, const absl::Condition& condition) override {
    mutex.Await(condition);
  }
};

}  // namespace

LoadClock& LoadClock::System() {
  static auto* clock = new SystemLoadClock;
  return *clock;
}

}  // namespace mlp

// A RetryEnvironment that neither waits nor varies.
#pragma once

#include <functional>
#include <vector>

#include <absl/time/clock.h>

#include "client/retry.h"

namespace mlp {

// Thread-compatible.
class FakeEnvironment final : public RetryEnvironment {
 public:
  absl::Time Now() override { return now; }
  void Sleep(absl::Duration duration, const std::stop_token&) override {
    now += duration;
    sleeps.push_back(duration);
    if (on_sleep) on_sleep();
  }
  double Uniform() override { return uniform; }

  // Begins at the real time, which the deadlines of real calls are told in.
  absl::Time now = absl::Now();
  double uniform = 0.5;  // no jitter
  std::vector<absl::Duration> sleeps;
  std::function<void()> on_sleep;
};

}  // namespace mlp

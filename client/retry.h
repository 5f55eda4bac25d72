// When and how long to wait before a call is tried again.
#pragma once

#include <optional>
#include <stop_token>

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/time/time.h>

namespace mlp {

// The wait before attempt n + 1 is initial_backoff * multiplier^(n - 1), at most max_backoff, times
// a factor drawn from [1 - jitter, 1 + jitter], so that clients that failed together do not come
// back together. Where the server says when to come back, its delay takes the place of
// initial_backoff, the factor is drawn from [1, 1 + jitter], and the wait is never shorter than it.
struct RetryPolicy {
  // The first one included; 1 means no retry.
  int max_attempts = 4;
  absl::Duration initial_backoff = absl::Milliseconds(100);
  absl::Duration max_backoff = absl::Seconds(5);
  double multiplier = 2;
  double jitter = 0.2;
  // A server that asks for a longer wait is not asked again.
  absl::Duration max_server_delay = absl::Seconds(60);
};

// Time and chance, injected so that tests neither wait nor vary. Thread-safe.
class RetryEnvironment {
 public:
  virtual ~RetryEnvironment() = default;

  virtual absl::Time Now() = 0;
  // Returns early when `stop` is requested.
  virtual void Sleep(absl::Duration duration, const std::stop_token& stop) = 0;
  // Uniform in [0, 1).
  virtual double Uniform() = 0;

  // The machine's; lives for ever.
  static RetryEnvironment& System();
};

// The payload of a status that carries the server's google.rpc.RetryInfo.
inline constexpr char kRetryInfoUrl[] = "type.googleapis.com/google.rpc.RetryInfo";

// The wait that the server asked for: the RetryInfo of `status`, if it has one that can be read.
std::optional<absl::Duration> ServerRetryDelay(const absl::Status& status);

// The waits between the attempts of one call. Thread-compatible.
class Backoff {
 public:
  Backoff(const RetryPolicy& policy, RetryEnvironment& environment)
      : policy_(policy), environment_(environment) {}

  // How long to wait before another attempt, now that one ended in `status`. Nothing where no other
  // one should be made: only UNAVAILABLE, and RESOURCE_EXHAUSTED with RetryInfo, may pass by
  // waiting.
  std::optional<absl::Duration> Next(const absl::Status& status);

  // Forgets the failed attempts: the last one got somewhere.
  void Reset() { failures_ = 0; }

 private:
  const RetryPolicy policy_;
  RetryEnvironment& environment_;
  int failures_ = 0;
};

// Runs `attempt` until it succeeds, fails for good, or the next wait would end after `deadline`;
// returns what the last attempt returned. Only for calls that are safe to repeat.
absl::Status CallWithRetries(const RetryPolicy& policy, RetryEnvironment& environment,
                             absl::Time deadline, absl::FunctionRef<absl::Status()> attempt);

}  // namespace mlp

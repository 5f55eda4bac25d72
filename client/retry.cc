#include "client/retry.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <string>

#include <absl/random/random.h>
#include <absl/strings/cord.h>
#include <absl/time/clock.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/empty.pb.h>
#include <google/protobuf/unknown_field_set.h>

namespace mlp {
namespace {

class SystemRetryEnvironment final : public RetryEnvironment {
 public:
  absl::Time Now() override { return absl::Now(); }

  // std's condition variable rather than absl's: it is the one that a stop token wakes.
  void Sleep(absl::Duration duration, const std::stop_token& stop) override {
    std::mutex mutex;
    std::condition_variable_any woken;
    std::unique_lock lock(mutex);
    woken.wait_for(lock, stop, absl::ToChronoNanoseconds(duration), [] { return false; });
  }

  double Uniform() override {
    absl::BitGen generator;
    return absl::Uniform(generator, 0.0, 1.0);
  }
};

}  // namespace

RetryEnvironment& RetryEnvironment::System() {
  static auto* environment = new SystemRetryEnvironment;
  return *environment;
}

std::optional<absl::Duration> ServerRetryDelay(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kRetryInfoUrl);
  if (!payload) return std::nullopt;
  // google.rpc.RetryInfo is one field, `google.protobuf.Duration retry_delay = 1`. Debian ships no
  // google/rpc protos; every field of a message is unknown to Empty, which keeps them readable.
  google::protobuf::Empty message;
  if (!message.ParseFromString(std::string(*payload))) return std::nullopt;
  const auto& fields = message.GetReflection()->GetUnknownFields(message);
  for (int i = 0; i < fields.field_count(); ++i) {
    const auto& field = fields.field(i);
    if (field.number() != 1 ||
        field.type() != google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED)
      continue;
    google::protobuf::Duration delay;
    if (!delay.ParseFromString(field.length_delimited())) return std::nullopt;
    return std::max(absl::ZeroDuration(),
                    absl::Seconds(delay.seconds()) + absl::Nanoseconds(delay.nanos()));
  }
  return absl::ZeroDuration();
}

std::optional<absl::Duration> Backoff::Next(const absl::Status& status) {
  absl::Duration asked = absl::ZeroDuration();
  if (status.code() == absl::StatusCode::kResourceExhausted) {
    const std::optional<absl::Duration> delay = ServerRetryDelay(status);
    if (!delay || *delay > policy_.max_server_delay) return std::nullopt;
    asked = *delay;
  } else if (status.code() != absl::StatusCode::kUnavailable) {
    return std::nullopt;
  }
  if (++failures_ >= policy_.max_attempts) return std::nullopt;
  const bool server_knows = asked > absl::ZeroDuration();
  const absl::Duration longest = std::max(policy_.max_backoff, asked);
  absl::Duration backoff = server_knows ? asked : policy_.initial_backoff;
  for (int i = 1; i < failures_ && backoff < longest; ++i) backoff *= policy_.multiplier;
  const double uniform = environment_.Uniform();
  const double factor = 1 + policy_.jitter * (server_knows ? uniform : 2 * uniform - 1);
  return std::max(asked, std::min(backoff, longest) * factor);
}

absl::Status CallWithRetries(const RetryPolicy& policy, RetryEnvironment& environment,
                             absl::Time deadline, absl::FunctionRef<absl::Status()> attempt) {
  Backoff backoff(policy, environment);
  while (true) {
    absl::Status status = attempt();
    if (status.ok()) return status;
    const std::optional<absl::Duration> wait = backoff.Next(status);
    if (!wait || environment.Now() + *wait >= deadline) return status;
    environment.Sleep(*wait, std::stop_token());
  }
}

}  // namespace mlp

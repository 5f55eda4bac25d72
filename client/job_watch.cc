#include "client/job_watch.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include <absl/strings/str_cat.h>

namespace mlp {
namespace {

// What has been delivered so far.
class Delivery {
 public:
  Delivery(const WatchOptions& options, OnProgress on_progress)
      : options_(options), on_progress_(on_progress), next_(options.from_iteration) {}

  void BeginStream() { first_ = true; }

  void Take(const v1::WatchTrainingJobResponse& message) {
    any_ = true;
    const bool first = std::exchange(first_, false);
    if (message.has_job()) {
      job_ = message.job();
      // The last message of a stream is the caller's result, not news on the way.
      if (first && options_.on_job) options_.on_job(job_);
    } else if (message.has_progress() && message.progress().iteration() >= next_) {
      next_ = int64_t{message.progress().iteration()} + 1;
      on_progress_(message.progress());
    }
  }

  bool any() const { return any_; }
  const v1::TrainingJob& job() const { return job_; }
  int32_t next() const {
    constexpr int64_t kMax = std::numeric_limits<int32_t>::max();
    return static_cast<int32_t>(std::min(next_, kMax));
  }

 private:
  const WatchOptions& options_;
  OnProgress on_progress_;
  int64_t next_;
  bool first_ = true;  // of a stream
  bool any_ = false;
  v1::TrainingJob job_;
};

// A call that is cancelled, but not by us, was cancelled by a server on its way down.
absl::Status AsUnavailable(absl::Status status) {
  if (!absl::IsCancelled(status)) return status;
  return absl::UnavailableError("the server cancelled the stream");
}

absl::Status Stopped() { return absl::CancelledError("stopped watching"); }

}  // namespace

bool HasEnded(v1::JobState state) {
  return state == v1::JOB_STATE_SUCCEEDED || state == v1::JOB_STATE_FAILED ||
         state == v1::JOB_STATE_CANCELLED;
}

absl::StatusOr<v1::TrainingJob> FollowTrainingJob(const WatchOptions& options,
                                                  const RetryPolicy& connect,
                                                  const RetryPolicy& reconnect,
                                                  RetryEnvironment& environment, WatchStream stream,
                                                  OnProgress on_progress) {
  Delivery delivery(options, on_progress);
  Backoff connecting(connect, environment);
  Backoff reconnecting(reconnect, environment);
  while (true) {
    if (options.stop.stop_requested()) return Stopped();
    delivery.BeginStream();
    const absl::Status status =
        AsUnavailable(stream(delivery.next(), [&](const v1::WatchTrainingJobResponse& message) {
          delivery.Take(message);
          reconnecting.Reset();
        }));
    if (options.stop.stop_requested() && !status.ok()) return Stopped();
    if (status.ok()) {
      if (HasEnded(delivery.job().state())) return delivery.job();
      return absl::InternalError(absl::StrCat("the stream of job ", delivery.job().id(),
                                              " ended before the job did (iteration ",
                                              int64_t{delivery.next()} - 1, ")"));
    }
    const std::optional<absl::Duration> wait =
        (delivery.any() ? reconnecting : connecting).Next(status);
    if (!wait) return status;
    environment.Sleep(*wait, options.stop);
  }
}

}  // namespace mlp

// Follows a job over as many streams as it takes, apart from gRPC so that tests can break them.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>

#include <absl/functional/function_ref.h>
#include <absl/status/statusor.h>

#include "client/retry.h"
#include "mlp/v1/training.pb.h"

namespace mlp {

struct WatchOptions {
  // The first iteration wanted; 0 means all.
  int32_t from_iteration = 0;
  // Ends the watching, not the job: the watch returns CANCELLED.
  std::stop_token stop = {};
  // Gets the job as it is when the watch begins, and again after every reconnection; may be empty.
  std::function<void(const v1::TrainingJob&)> on_job = {};
};

using OnProgress = absl::FunctionRef<void(const v1::ProgressPoint&)>;
using OnWatchMessage = absl::FunctionRef<void(const v1::WatchTrainingJobResponse&)>;
// Runs one stream from the given iteration, hands on its messages, returns how it ended.
using WatchStream = absl::FunctionRef<absl::Status(int32_t from_iteration, OnWatchMessage)>;

// Delivers every iteration from options.from_iteration on exactly once and in order, and returns
// the job as it ended. A stream that breaks with UNAVAILABLE, or that the server cancels, is opened
// again from the iteration after the last one delivered: under `connect` until the first message of
// all, under `reconnect` (counted anew after every message) from then on. INTERNAL where a stream
// ends well but the job has not.
absl::StatusOr<v1::TrainingJob> FollowTrainingJob(const WatchOptions& options,
                                                  const RetryPolicy& connect,
                                                  const RetryPolicy& reconnect,
                                                  RetryEnvironment& environment, WatchStream stream,
                                                  OnProgress on_progress);

// SUCCEEDED, FAILED or CANCELLED.
bool HasEnded(v1::JobState state);

}  // namespace mlp

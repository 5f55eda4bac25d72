// A load on one model from several connections, and what was measured: what `mlpctl bench` runs.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "client/load/arrivals.h"
#include "client/load/load_clock.h"
#include "client/load/load_worker.h"

namespace mlp {

struct LoadOptions {
  std::string server;
  // Serialized PredictRequests, sent in turn; at least one.
  std::vector<std::string> requests;
  // StreamPredict, one stream a connection, instead of Predict.
  bool stream = false;
  // Each with a thread, and in an open loop a second one that sends. At most `concurrency`.
  int connections = 1;
  // Calls outstanding over all connections: always in a closed loop, at most in an open one.
  int concurrency = 16;
  bool open_loop = false;
  // Calls a second of an open loop, over all connections.
  double rate = 0;
  Arrivals arrivals = Arrivals::kPoisson;
  absl::Duration warmup = absl::Seconds(1);
  // Of the measured time; infinite where max_calls ends it.
  absl::Duration duration = absl::Seconds(10);
  // Measured calls; 0 means no bound.
  int64_t max_calls = 0;
  // Of each call; infinite means none.
  absl::Duration deadline = absl::InfiniteDuration();
  // Of the Poisson arrivals.
  uint64_t seed = 1;
};

struct LoadResult {
  LoadRecord record;
  // The measured time: from the end of the warm-up until the duration was over or, where max_calls,
  // a lost connection or a stop ended the load before, until then.
  double seconds = 0;
  // Ended by `stop`.
  bool interrupted = false;
};

struct LoadProgress {
  bool warming_up = false;
  // Of the warm-up or of the measured time.
  double elapsed_seconds = 0;
  // Measured calls answered so far, errors included.
  int64_t answered = 0;
};

// Runs to its end, and then waits for what is outstanding: until its deadline, or 10 s where it has
// none. A stop ends it at once and is no error. on_progress is called a few times a second.
// UNAVAILABLE where no connection can be made.
absl::StatusOr<LoadResult> RunLoad(const LoadOptions& options, LoadClock& clock,
                                   const std::stop_token& stop,
                                   const std::function<void(const LoadProgress&)>& on_progress);

}  // namespace mlp

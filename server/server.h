// The server put together: store, jobs, resident models, the gRPC services over them, and metrics.
// Started by main.cc and, in one process with their clients, by tests.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

namespace mlp {

struct ServerOptions {
  std::string data_dir;
  // File of `mlpctl admin backup` to fill the folder with first; empty: none.
  std::string restore;
  // HOST:PORT; port 0 takes a free one.
  std::string grpc_address = "127.0.0.1:8001";
  // Empty serves no metrics.
  std::string metrics_address = "127.0.0.1:8002";
  // Jobs that run at the same time, and threads of each; 0 threads means one a core.
  int max_running_jobs = 2;
  int training_threads = 0;
  // Jobs that may wait; more are refused with RESOURCE_EXHAUSTED.
  int max_queued_jobs = 1000;
  // Memory that one job may need, estimated before it is queued; 0 means half of the machine's,
  // divided by max_running_jobs.
  int64_t max_job_memory_bytes = 0;
  // Time from one checkpoint of a running job to the next.
  int checkpoint_seconds = 30;
  // Threads that answer Predict.
  int predict_threads = 1;
  // Memory for the weights of resident models.
  int64_t model_memory_bytes = int64_t{2} << 30;
  // Models to load before the first request: references separated by commas, or `all`.
  std::string preload;
  int64_t max_dataset_bytes = int64_t{16} << 30;
  // Tells callers without .proto files what services and messages there are.
  bool reflection = false;
  // Of one gRPC message; Predict calls with many rows need it.
  int max_message_bytes = 256 << 20;
};

struct ServerAddresses {
  std::string grpc;
  std::string metrics;  // empty where none are served
};

// Thread-compatible.
class Server {
 public:
  // Restores and opens the store, takes up unfinished jobs, listens. Errors: RestoreBackup's and
  // OpenSqliteStore's;
  // FAILED_PRECONDITION: an address that cannot be listened on; INVALID_ARGUMENT: an option out of
  // range.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const ServerOptions& options);

  // Shuts down as by Shutdown, at once.
  virtual ~Server() = default;

  // What it did with what it found, for people; empty after a clean stop.
  virtual const std::vector<std::string>& recovered() const = 0;

  // Where it really listens.
  virtual const ServerAddresses& addresses() const = 0;

  // Health turns NOT_SERVING and no new call is taken; watchers end with UNAVAILABLE; running jobs
  // stop with a checkpoint and go on from it after the next start; calls in flight have `grace` to
  // finish, then are cancelled. Returns when all threads have ended. Call at most once.
  virtual void Shutdown(absl::Duration grace) = 0;
};

}  // namespace mlp

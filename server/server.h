// The server put together: store, jobs, resident models, the gRPC services over them, and metrics.
// Started by main.cc and, in one process with their clients, by tests.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "server/config/server_options.h"

namespace mlp {

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

  // From now on those options hold that can change while the server runs (`reloadable` in
  // server/config/setting_table.cc); the others are not looked at but for their ranges. Jobs that
  // run keep what they started with; models that the memory has no place for any more go at once,
  // or when their last batch is done. INVALID_ARGUMENT, and nothing changes: an option out of
  // range.
  virtual absl::Status Reconfigure(const ServerOptions& options) = 0;

  // Health turns NOT_SERVING and no new call is taken; watchers end with UNAVAILABLE; running jobs
  // stop with a checkpoint and go on from it after the next start; calls in flight have `grace` to
  // finish, then are cancelled. Returns when all threads have ended. Call at most once.
  virtual void Shutdown(absl::Duration grace) = 0;
};

}  // namespace mlp

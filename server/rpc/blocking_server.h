// Serves a MethodTable over gRPC: each call on a thread of its own that may wait. The calls
// themselves run on a Poller's queue, so that gRPC starts no threads of its own.
#pragma once

#include <memory>

#include <absl/status/status.h>

#include "server/rpc/method_table.h"
#include "server/rpc/poller.h"
#include "server/rpc/worker_pool.h"

namespace mlp {

// Thread-safe. Order of use: construct before BuildAndStart, Start after it. Its poller must be
// stopped before it goes, its workers after the gRPC server was shut down.
class BlockingServer {
 public:
  // All outlive it. Methods that `builder` knows otherwise are not asked for here; those that
  // `methods` does not know are UNIMPLEMENTED.
  BlockingServer(const MethodTable& methods, WorkerPool& workers, Poller& poller,
                 grpc::ServerBuilder& builder);
  ~BlockingServer();

  // Begins to take calls. Call once.
  void Start();

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace mlp

// PredictionService on gRPC's asynchronous API: natural batching on the thread that polls.
//
// A polling thread takes every call that is ready now, answers them as one batch (Predictor: one
// forward propagation per model version), and goes back for more. Under light load a batch is one
// call and nothing waits; under heavy load batches grow by themselves. There is no hand-over to
// another thread and no timer.
#pragma once

#include <cstdint>
#include <memory>

#include "server/inference/resident_models.h"
#include "server/telemetry/metrics.h"

namespace grpc {
class ServerBuilder;
}

namespace mlp {

struct PredictionServiceOptions {
  // Completion queues, each with one polling thread.
  int polling_threads = 1;
  // Feature values after which a batch is run although more calls are ready.
  int64_t max_batch_values = int64_t{1} << 20;
};

// Thread-safe. Order of use: Create with the builder, BuildAndStart, Start; then server Shutdown
// with its deadline, Stop.
class PredictionServer {
 public:
  // Registers the service and its completion queues with `builder`. All outlive the server.
  static std::unique_ptr<PredictionServer> Create(const PredictionServiceOptions& options,
                                                  ResidentModels& models, Metrics& metrics,
                                                  grpc::ServerBuilder& builder);
  virtual ~PredictionServer() = default;

  // Begins to answer. Call once, after the gRPC server was started.
  virtual void Start() = 0;
  // Ends the polling threads. Call once, after the gRPC server was shut down.
  virtual void Stop() = 0;
};

}  // namespace mlp

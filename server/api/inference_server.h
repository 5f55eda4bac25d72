// The services that answer inference requests, on gRPC's asynchronous API: Predict, StreamPredict
// and, of the Open Inference Protocol, ModelInfer and ModelStreamInfer. Their messages are read
// where they arrive and go to the batcher; answers leave from the thread that computed them.
//
// Everything else is on BlockingServer.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "server/inference/batcher.h"
#include "server/rpc/poller.h"
#include "server/telemetry/metrics.h"

namespace mlp {

// Thread-safe. Order of use: Create with the builder and the pollers, BuildAndStart, Start; then
// Drain, the gRPC server's Shutdown, Batcher::Stop, Poller::Stop.
class InferenceServer {
 public:
  // Registers the services with `builder`. All outlive the server. `max_stream_bytes`: of the
  // messages of all streams that are in memory.
  static std::unique_ptr<InferenceServer> Create(
      const std::vector<std::unique_ptr<Poller>>& pollers, Batcher& batcher, Metrics& metrics,
      int64_t max_stream_bytes, grpc::ServerBuilder& builder);
  virtual ~InferenceServer() = default;

  // Begins to take calls, and starts the pollers. Call once.
  virtual void Start() = 0;
  // Streams take no further message: each ends with UNAVAILABLE once what it sent was answered.
  virtual void Drain() = 0;
};

}  // namespace mlp

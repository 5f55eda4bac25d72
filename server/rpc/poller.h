// One completion queue and the thread that polls it: takes every event that is ready, hands each to
// its tag, then lets the work that these brought run, and goes back for more.
//
// All of the server's calls are on such queues. gRPC's own threads, which its synchronous and
// callback APIs start, would read the sockets too and wake this one for every event: Predict then
// takes twice the time (tests/bench/predict_bench).
#pragma once

#include <functional>
#include <memory>

#include <absl/time/time.h>

namespace grpc {
class ServerBuilder;
class ServerCompletionQueue;
}  // namespace grpc

namespace mlp {

// Thread-safe. Order of use: construct with the builder, BuildAndStart, Start; then the gRPC
// server's Shutdown, and Stop.
class Poller {
 public:
  // Runs what is ready, on the polling thread; returns how long the poller may wait for events
  // until it is to be called again.
  using Work = std::function<absl::Duration()>;

  explicit Poller(grpc::ServerBuilder& builder);
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  grpc::ServerCompletionQueue& queue();

  // Begins to poll. Call once.
  void Start(Work work);
  // Has the work run soon, though no event may come. Any thread, until Stop.
  void Wake();
  // No operation may be started on the queue any more but by tags on the polling thread, which ask
  // `closed`. Returns when all tags have come back and the thread has ended. Idempotent.
  void Stop();
  // The queue takes no more operations. Polling thread only.
  bool closed() const;
  // Whether the caller is the polling thread. Any thread, after Start.
  bool OnPollingThread() const;

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace mlp

// One bidirectional inference method on one poller's queue: many messages on a stream, each
// answered when it is computed. Only included by .cc files.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_set>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "server/inference/batcher.h"
#include "server/inference/inference_message.h"
#include "server/rpc/poller.h"
#include "server/telemetry/metrics.h"

namespace mlp {

// What the messages in memory of all streams may take, so that callers who do not read their
// answers cannot use it up together. A stream may go on with one message at a time whatever others
// hold: nobody waits for another's answers. Thread-safe.
class StreamMemory {
 public:
  explicit StreamMemory(int64_t most_bytes) : most_bytes_(most_bytes) {}

  void Add(int64_t bytes) { bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  bool full() const { return bytes_.load(std::memory_order_relaxed) >= most_bytes_; }

 private:
  const int64_t most_bytes_;
  std::atomic<int64_t> bytes_ = 0;
};

struct StreamInferenceMethod {
  // The generated RequestMETHOD of a raw method.
  std::function<void(grpc::ServerContext*,
                     grpc::ServerAsyncReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>*,
                     grpc::CompletionQueue*, grpc::ServerCompletionQueue*, void*)>
      request_call;
  // Their AppendResponse carries errors.
  std::function<std::unique_ptr<InferenceMessage>()> make_message;
  RpcMetrics* metrics = nullptr;
  // Shared by all methods.
  StreamMemory* memory = nullptr;
};

// Polling thread only, but for the answers.
class StreamInference {
 public:
  // All outlive it; the poller is stopped first.
  StreamInference(StreamInferenceMethod method, Poller& poller, Batcher& batcher);
  ~StreamInference();

  // Begins to take calls. Call once.
  void Start();
  // Streams take no further message: each ends with UNAVAILABLE once what it sent was answered.
  void Drain();
  // Begins to send the answers that the polling thread has given since the last call.
  void SendAnswers();

 private:
  class Stream;

  const StreamInferenceMethod method_;
  Poller& poller_;
  Batcher& batcher_;
  std::unordered_set<Stream*> streams_;  // that arrived; each deletes itself
  std::vector<Stream*> answered_;        // that wait for SendAnswers
};

}  // namespace mlp

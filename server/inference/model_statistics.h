// What one model version has answered since the server started: counted by the batcher, reported by
// ModelStatistics of the Open Inference Protocol.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

namespace mlp {

// One forward propagation over the rows of some requests. Times in nanoseconds.
struct ExecutedBatch {
  int64_t rows = 0;
  int64_t input_ns = 0;   // copying and scaling the rows
  int64_t infer_ns = 0;   // forward propagation
  int64_t output_ns = 0;  // handing out the outputs
};

// A request that was answered; its rows may have been in several batches.
struct AnsweredRequest {
  int64_t rows = 0;
  int64_t total_ns = 0;  // from its arrival to its answer
  int64_t queue_ns = 0;  // waiting
  int64_t input_ns = 0;  // its batches' times, as it waited for all of them
  int64_t infer_ns = 0;
  int64_t output_ns = 0;
};

// Count, and nanoseconds in all.
struct CountedTime {
  int64_t count = 0;
  int64_t ns = 0;
};

struct BatchTimes {
  int64_t executions = 0;
  int64_t input_ns = 0;
  int64_t infer_ns = 0;
  int64_t output_ns = 0;
};

// Adds up: executions = sum of batches' executions; rows = sum over batches of size x executions,
// once all requests under way have ended.
struct ModelCounts {
  int64_t last_inference_ms = 0;  // since the epoch; 0: never
  int64_t rows = 0;               // of answered requests
  int64_t executions = 0;
  CountedTime success, fail, queue, input, infer, output;
  std::map<int64_t, BatchTimes> batches;  // by rows
};

// Thread-safe.
class ModelStatistics {
 public:
  // Time for each row of the last batch, waiting for its turn included; 0: there was none yet.
  void SetPace(int64_t ns_per_row) { ns_per_row_.store(ns_per_row, std::memory_order_relaxed); }
  int64_t ns_per_row() const { return ns_per_row_.load(std::memory_order_relaxed); }

  void Executed(const ExecutedBatch& batch);
  void Answered(const AnsweredRequest& request, int64_t now_ms);
  // Refused or failed after its model was known.
  void Failed(int64_t total_ns);

  ModelCounts Read() const;

 private:
  std::atomic<int64_t> ns_per_row_ = 0;
  mutable absl::Mutex mutex_;
  ModelCounts counts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mlp

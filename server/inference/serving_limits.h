// How requests for one model are batched and queued: set by operators at run time, read by the
// batcher for every request.
#pragma once

#include <atomic>
#include <cstdint>

namespace mlp {

// Shared by all versions of a model, in memory or on their way in. Thread-safe: each value stands
// for itself.
struct ServingLimits {
  // Defaults: what 0 means in ServingSettings of model.proto.
  static constexpr int32_t kDefaultMaxBatchRows = 1024;
  static constexpr int32_t kDefaultMaxQueuedRequests = 4096;

  // Rows of one forward propagation at most; 1 turns batching off.
  std::atomic<int32_t> max_batch_rows{kDefaultMaxBatchRows};
  // How long the first request of a batch waits for others, in microseconds.
  std::atomic<int64_t> queue_delay_us{0};
  // Requests that wait; more are refused.
  std::atomic<int32_t> max_queued_requests{kDefaultMaxQueuedRequests};
};

}  // namespace mlp

// Runs one batch: copies the rows of several requests side by side, scales and checks them, one
// forward propagation, and hands each request the outputs of exactly its rows. Called by Batcher.
#pragma once

#include <cstdint>
#include <vector>

#include <absl/base/thread_annotations.h>
#include <absl/status/status.h>
#include <absl/synchronization/mutex.h>
#include <absl/types/span.h>

#include "core/base/thread_pool.h"
#include "core/nn/propagation_scratch.h"
#include "server/inference/inference_request.h"
#include "server/inference/model_statistics.h"

namespace mlp {

// Rows [first, first + count) of one request, which come in the batch after those of the pieces
// before it.
struct BatchPiece {
  InferenceRequest* request = nullptr;
  int64_t first = 0;
  int64_t count = 0;
  // How it went: INVALID_ARGUMENT where a value is not finite (the rows of other pieces are not
  // touched by that), RESOURCE_EXHAUSTED where there was no memory.
  absl::Status status;
};

// Keeps its buffers from batch to batch. Thread-compatible: one a thread.
class BatchRunner {
 public:
  // With a pool, a batch is shared by its threads: row blocks where there are many rows, the units
  // of each layer where there are few. Without (null), the calling thread does all. `pool` outlives
  // it and runs nothing else meanwhile.
  explicit BatchRunner(ThreadPool* pool = nullptr);

  // `pieces` is not empty and all of one model. Returns what statistics want to know; times of
  // blocks that ran at the same time are added up and divided by the threads.
  ExecutedBatch Run(const ServableModel& model, absl::Span<BatchPiece> pieces);

 private:
  // Of one thread.
  struct Buffers {
    std::vector<float> inputs;   // [rows x D], scaled
    std::vector<float> outputs;  // [rows x K]
    PropagationScratch scratch;
    ExecutedBatch times;
  };

  // One block of the batch; on the threads of `pool` where there is one.
  void RunRows(const ServableModel& model, absl::Span<BatchPiece> pieces, int64_t first_row,
               int64_t rows, ThreadPool* pool, Buffers& buffers);
  void ReadRows(const ServableModel& model, absl::Span<BatchPiece> pieces, int64_t first_row,
                int64_t rows, float* inputs);

  ThreadPool* const pool_;
  std::vector<Buffers> buffers_;    // by worker
  std::vector<int64_t> first_row_;  // of each piece in the batch, and the rows of all
  absl::Mutex mutex_;               // of the pieces' statuses, while blocks run at the same time
};

}  // namespace mlp

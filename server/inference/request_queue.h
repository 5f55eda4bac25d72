// The requests that wait for one model version, in the order of their turns. Filled and emptied by
// Batcher, under its lock; knows neither threads nor which batch is run where.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include <absl/status/status.h>
#include <absl/time/time.h>

#include "server/inference/batch_runner.h"
#include "server/inference/inference_request.h"
#include "server/inference/model_statistics.h"

namespace mlp {

// A request on its way. Its rows may be computed in several batches.
struct QueuedRequest {
  InferenceRequest* request = nullptr;
  int64_t rows = 0;
  absl::Duration arrival;
  int64_t taken = 0;  // rows given to batches so far
  AnsweredRequest answered;
  absl::Status status;  // why there will be no answer
};

// Requests come in at the end. One that is larger than a batch gets a batch's rows at a time and
// goes back to the end: however large it is, those that came after it wait for one batch of it.
//
// Thread-compatible.
class RequestQueue {
 public:
  // Empties it, for requests for `model`.
  void Reset(std::shared_ptr<const ServableModel> model);
  const std::shared_ptr<const ServableModel>& model() const { return model_; }

  void Push(QueuedRequest request);

  // Moves requests out that have `max_rows` rows or fewer still to be computed in all, the last one
  // with the first of its rows: to `taken`, with a piece for each in `pieces`. On the way requests
  // that nobody waits for any more go to `ended`. Appends to all three.
  void Take(int64_t max_rows, std::vector<QueuedRequest>& taken, std::vector<BatchPiece>& pieces,
            std::vector<QueuedRequest>& ended);

  // Moves out all that nobody waits for any more.
  void Sweep(std::vector<QueuedRequest>& ended);
  // Moves out all.
  void Clear(std::vector<QueuedRequest>& left);

  bool empty() const { return requests_.empty(); }
  int64_t requests() const { return static_cast<int64_t>(requests_.size()); }
  // Still to be computed.
  int64_t rows() const { return rows_; }

  // When the next batch is due, by the model's queue delay and `not_before`; -InfiniteDuration, for
  // at once, where `full_batch` rows wait or rows of a request whose first ones were computed. Not
  // empty.
  absl::Duration Due(int64_t full_batch, absl::Duration not_before) const;

 private:
  QueuedRequest Pop();

  std::shared_ptr<const ServableModel> model_;
  std::deque<QueuedRequest> requests_;
  int64_t rows_ = 0;
  int64_t begun_ = 0;  // requests of which rows were computed
};

}  // namespace mlp

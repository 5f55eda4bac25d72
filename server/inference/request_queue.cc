#include "server/inference/request_queue.h"

#include <algorithm>
#include <utility>

#include "server/inference/serving_limits.h"

namespace mlp {

void RequestQueue::Reset(std::shared_ptr<const ServableModel> model) {
  model_ = std::move(model);
  requests_.clear();
  rows_ = 0;
  begun_ = 0;
}

void RequestQueue::Push(QueuedRequest request) {
  rows_ += request.rows - request.taken;
  if (request.taken > 0) ++begun_;
  requests_.push_back(std::move(request));
}

QueuedRequest RequestQueue::Pop() {
  QueuedRequest request = std::move(requests_.front());
  requests_.pop_front();
  rows_ -= request.rows - request.taken;
  if (request.taken > 0) --begun_;
  return request;
}

void RequestQueue::Take(int64_t max_rows, std::vector<QueuedRequest>& taken,
                        std::vector<BatchPiece>& pieces, std::vector<QueuedRequest>& ended) {
  while (max_rows > 0 && !requests_.empty()) {
    QueuedRequest request = Pop();
    request.status = request.request->Waiting();
    if (!request.status.ok()) {
      ended.push_back(std::move(request));
      continue;
    }
    const int64_t count = std::min(max_rows, request.rows - request.taken);
    pieces.push_back(
        {.request = request.request, .first = request.taken, .count = count, .status = {}});
    request.taken += count;
    max_rows -= count;
    taken.push_back(std::move(request));
  }
}

void RequestQueue::Sweep(std::vector<QueuedRequest>& ended) {
  for (int64_t left = requests(); left > 0; --left) {
    QueuedRequest request = Pop();
    request.status = request.request->Waiting();
    if (request.status.ok()) {
      Push(std::move(request));
    } else {
      ended.push_back(std::move(request));
    }
  }
}

void RequestQueue::Clear(std::vector<QueuedRequest>& left) {
  while (!requests_.empty()) left.push_back(Pop());
}

absl::Duration RequestQueue::Due(int64_t full_batch, absl::Duration not_before) const {
  if (begun_ > 0 || rows_ >= full_batch) return -absl::InfiniteDuration();
  const int64_t delay_us = model_->limits().queue_delay_us.load(std::memory_order_relaxed);
  if (delay_us == 0) return not_before;
  return std::max(not_before, requests_.front().arrival + absl::Microseconds(delay_us));
}

}  // namespace mlp

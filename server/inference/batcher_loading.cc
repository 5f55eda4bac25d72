// The part of Batcher that has models loaded which are not in memory, and keeps the requests for
// them meanwhile.
#include <algorithm>
#include <utility>

#include <absl/strings/str_cat.h>

#include "server/end_of_call.h"
#include "server/inference/batcher.h"
#include "server/retry_delay.h"

namespace mlp {
namespace {

// How long a load takes is not known.
constexpr absl::Duration kRetryDelay = absl::Milliseconds(10);

}  // namespace

void Batcher::Park(InferenceRequest& request, absl::Duration arrival) {
  const std::string reference(request.model_reference());
  absl::Status refused;
  bool first = false;
  std::vector<InferenceRequest*> swept;
  {
    absl::MutexLock lock(&mutex_);
    if (loading_requests_ >= options_.max_loading_requests) swept = SweepLoading();
    if (stopping_) {
      refused = ServerStopping();
    } else if (loading_requests_ >= options_.max_loading_requests) {
      refused = WithRetryDelay(absl::ResourceExhaustedError(
                                   absl::StrCat("expected at most ", options_.max_loading_requests,
                                                " requests to wait for models to be loaded")),
                               kRetryDelay);
    } else {
      const auto [parked, is_new] = loading_.try_emplace(reference);
      first = is_new;
      parked->second.push_back({&request, arrival});
      ++loading_requests_;
      if (first) ++loads_;
    }
  }
  for (InferenceRequest* left : swept) left->Finish(left->Waiting());
  if (!refused.ok()) {
    request.Finish(refused);
  } else if (first && !hooks_.run_elsewhere([this, reference] { LoadFor(reference); })) {
    LoadFor(reference);  // no thread to be had: late is better than never
  }
}

void Batcher::LoadFor(const std::string& reference) {
  const absl::StatusOr<std::shared_ptr<const ServableModel>> model = models_.Load(reference);
  std::vector<Parked> parked;
  {
    absl::MutexLock lock(&mutex_);
    parked = std::move(loading_[reference]);
    loading_.erase(reference);
    loading_requests_ -= static_cast<int>(parked.size());
  }
  for (const Parked& waiting : parked) {
    if (model.ok()) {
      Enqueue(*waiting.request, *model, waiting.arrival);
    } else {
      waiting.request->Finish(model.status());
    }
  }
  hooks_.wake();
  absl::MutexLock lock(&mutex_);
  --loads_;
}

std::vector<InferenceRequest*> Batcher::SweepLoading() {
  std::vector<InferenceRequest*> swept;
  const absl::Duration now = clock_.Elapsed();
  if (now - loading_swept_ < kSweepInterval) return swept;
  loading_swept_ = now;
  for (auto& [reference, parked] : loading_) {
    const auto left = std::stable_partition(
        parked.begin(), parked.end(),
        [](const Parked& waiting) { return waiting.request->Waiting().ok(); });
    for (auto gone = left; gone != parked.end(); ++gone) swept.push_back(gone->request);
    parked.erase(left, parked.end());
  }
  loading_requests_ -= static_cast<int>(swept.size());
  return swept;
}

}  // namespace mlp

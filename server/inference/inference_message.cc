#include "server/inference/inference_message.h"

#include "core/base/clock.h"

namespace mlp {

absl::Status InferenceMessage::Waiting() const {
  if (deadline_ != absl::InfiniteDuration() && Clock::System().Elapsed() >= deadline_) {
    return absl::DeadlineExceededError("the deadline passed before the request was computed");
  }
  return caller_->Waiting();
}

}  // namespace mlp

// One load of a model under way, shared by everybody who wants the same version: the first caller
// loads, the others wait for what comes of it. Used by ResidentModels.
#pragma once

#include <memory>
#include <utility>

#include <absl/base/thread_annotations.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>

#include "server/inference/servable_model.h"

namespace mlp {

// Thread-safe.
class SharedLoad {
 public:
  using Result = absl::StatusOr<std::shared_ptr<const ServableModel>>;

  // Called once, by the one who loads, whatever the end.
  void Finish(Result result) {
    absl::MutexLock lock(&mutex_);
    result_ = std::move(result);
    finished_ = true;
  }

  // Waits for Finish, which comes within the time-outs of the store's reads.
  Result Wait() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(&finished_));
    return result_;
  }

 private:
  absl::Mutex mutex_;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  Result result_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mlp

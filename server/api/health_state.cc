#include "server/api/health_state.h"

namespace mlp {

void HealthState::SetServing(bool serving) {
  absl::MutexLock lock(&mutex_);
  if (serving_ == serving) return;
  serving_ = serving;
  ++changes_;
}

bool HealthState::serving() const {
  absl::MutexLock lock(&mutex_);
  return serving_;
}

void HealthState::Changed() {
  absl::MutexLock lock(&mutex_);
  ++changes_;
}

void HealthState::Stop() {
  absl::MutexLock lock(&mutex_);
  serving_ = false;
  stopped_ = true;
  ++changes_;
}

bool HealthState::stopped() const {
  absl::MutexLock lock(&mutex_);
  return stopped_;
}

int64_t HealthState::changes() const {
  absl::MutexLock lock(&mutex_);
  return changes_;
}

void HealthState::WaitForChange(int64_t seen, absl::Duration timeout) const {
  const auto changed = [this, seen]()
                           ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return changes_ != seen; };
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(&changed), timeout);
}

}  // namespace mlp

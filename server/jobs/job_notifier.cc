#include "server/jobs/job_notifier.h"

#include <absl/strings/str_cat.h>

#include "server/end_of_call.h"

namespace mlp {

JobNotifier::Subscription::~Subscription() { notifier_.Unsubscribe(job_id_); }

uint64_t JobNotifier::Subscription::Version() const {
  absl::MutexLock lock(&notifier_.mutex_);
  return notifier_.topics_.at(job_id_).version;
}

absl::StatusOr<bool> JobNotifier::Subscription::Wait(uint64_t seen, absl::Duration timeout) const {
  JobNotifier& notifier = notifier_;
  absl::MutexLock lock(&notifier.mutex_);
  const auto changed = [&notifier, seen, id = job_id_]()
                           ABSL_EXCLUSIVE_LOCKS_REQUIRED(notifier.mutex_) {
                             return notifier.stopped_ || notifier.topics_.at(id).version > seen;
                           };
  const bool in_time = notifier.mutex_.AwaitWithTimeout(absl::Condition(&changed), timeout);
  if (notifier.stopped_) return ServerStopping();
  return in_time;
}

absl::StatusOr<std::unique_ptr<JobNotifier::Subscription>> JobNotifier::Subscribe(int64_t job_id) {
  absl::MutexLock lock(&mutex_);
  if (stopped_) return ServerStopping();
  if (subscriptions_ >= max_subscriptions_) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "watchers: expected at most ", max_subscriptions_, " at a time; try again later"));
  }
  ++subscriptions_;
  ++topics_[job_id].subscriptions;
  return std::unique_ptr<Subscription>(new Subscription(*this, job_id));
}

void JobNotifier::Unsubscribe(int64_t job_id) {
  absl::MutexLock lock(&mutex_);
  --subscriptions_;
  const auto topic = topics_.find(job_id);
  if (--topic->second.subscriptions == 0) topics_.erase(topic);
}

void JobNotifier::Notify(int64_t job_id) {
  absl::MutexLock lock(&mutex_);
  const auto topic = topics_.find(job_id);
  if (topic != topics_.end()) ++topic->second.version;
}

void JobNotifier::Stop() {
  absl::MutexLock lock(&mutex_);
  stopped_ = true;
}

}  // namespace mlp

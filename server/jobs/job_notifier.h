// Where watchers wait: tells those who follow a job that something about it changed in the store.
// Runners, the progress log and the scheduler notify; JobWatch waits.
#pragma once

#include <cstdint>
#include <memory>

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>

namespace mlp {

// Thread-safe. Holds only the jobs that are being watched, so notifying about any other costs one
// look-up. Carries no data: the store is where to look.
class JobNotifier {
 public:
  // One watcher's place; gives it back when destroyed. Used by one thread; must not outlive the
  // notifier.
  class Subscription {
   public:
    ~Subscription();
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;

    // Rises with every notification. Take it before looking at the store, and wait for more than
    // it: then no change in between is lost.
    uint64_t Version() const;
    // True once the version is over `seen`; false when `timeout` has passed before.
    // UNAVAILABLE once the notifier was stopped.
    absl::StatusOr<bool> Wait(uint64_t seen, absl::Duration timeout) const;

   private:
    friend class JobNotifier;
    Subscription(JobNotifier& notifier, int64_t job_id) : notifier_(notifier), job_id_(job_id) {}

    JobNotifier& notifier_;
    const int64_t job_id_;
  };

  explicit JobNotifier(int max_subscriptions) : max_subscriptions_(max_subscriptions) {}

  // RESOURCE_EXHAUSTED where there are `max_subscriptions` already, UNAVAILABLE once stopped.
  absl::StatusOr<std::unique_ptr<Subscription>> Subscribe(int64_t job_id);

  void Notify(int64_t job_id);

  // Ends every wait, now and from now on.
  void Stop();

 private:
  struct Topic {
    uint64_t version = 0;
    int subscriptions = 0;
  };

  void Unsubscribe(int64_t job_id);

  const int max_subscriptions_;
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<int64_t, Topic> topics_ ABSL_GUARDED_BY(mutex_);
  int subscriptions_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace mlp

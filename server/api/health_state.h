// Whether the server takes requests: set by the server, shown by HealthService and ServerReady.
#pragma once

#include <cstdint>

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>

namespace mlp {

// Starts as not serving. Thread-safe.
class HealthState {
 public:
  void SetServing(bool serving);
  bool serving() const;

  // Something else changed that a watcher may show, such as a model.
  void Changed();
  // The server stops: no watch goes on, none begins.
  void Stop();
  bool stopped() const;

  // Counts changes.
  int64_t changes() const;
  // Until there are more than `seen` changes, or `timeout` is over.
  void WaitForChange(int64_t seen, absl::Duration timeout) const;

 private:
  mutable absl::Mutex mutex_;
  bool serving_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t changes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace mlp

// Threads for what may wait: blocking RPC handlers and the loading of models. They come as they are
// needed and go when they have been idle.
#pragma once

#include <functional>
#include <list>
#include <thread>
#include <vector>

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

namespace mlp {

struct WorkerPoolOptions {
  // Tasks that run at the same time at most.
  int max_threads = 512;
  // Threads that are kept although they have nothing to do.
  int max_idle_threads = 4;
};

// Thread-safe. Destroying it stops it.
class WorkerPool {
 public:
  explicit WorkerPool(const WorkerPoolOptions& options) : options_(options) {}
  ~WorkerPool() { Stop(); }
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Takes no further task, and waits for those it has. Idempotent.
  void Stop();

  // Runs `task` on a thread of its own at once. False, without running it, where all threads are
  // busy or the system grants no more.
  bool Run(std::function<void()> task);

 private:
  using Threads = std::list<std::thread>;

  void Work(Threads::iterator self);

  const WorkerPoolOptions options_;
  absl::Mutex mutex_;
  Threads threads_ ABSL_GUARDED_BY(mutex_);
  Threads ended_ ABSL_GUARDED_BY(mutex_);                             // to be joined
  std::vector<std::function<void()>> tasks_ ABSL_GUARDED_BY(mutex_);  // never more than idle_
  int idle_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace mlp

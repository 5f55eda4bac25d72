// A fixed set of threads that share the indices of one loop at a time. The trainer's objective runs
// its row blocks here.
#pragma once

#include <memory>

#include <absl/functional/function_ref.h>

namespace mlp {

struct ThreadPoolOptions {
  // Threads that work, the calling one included; less than 1 means 1. There are fewer where the
  // system does not grant that many.
  int threads = 1;
  // Run the pool's own threads at SCHED_IDLE, so that they only take time that nobody else wants.
  // The calling thread stays as it is: see LowerThisThreadToIdle.
  bool idle_priority = false;
};

// ParallelFor is not reentrant and is called by one thread at a time; otherwise thread-safe.
class ThreadPool {
 public:
  explicit ThreadPool(const ThreadPoolOptions& options);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Threads that work in ParallelFor, the caller included.
  int threads() const;

  // Calls body(index, worker) for every index in [0, count) and returns when all calls have.
  // Indices are handed out in rising order; `worker` is in [0, threads()) and no two calls with the
  // same one overlap. `body` must not throw.
  void ParallelFor(int count, absl::FunctionRef<void(int index, int worker)> body);

  // The same on the calling thread alone, as worker 0: for a loop so short that handing it out
  // takes longer than it does.
  void SerialFor(int count, absl::FunctionRef<void(int index, int worker)> body);

 private:
  class State;
  std::unique_ptr<State> state_;
};

// Moves the calling thread to SCHED_IDLE; between the indices of a loop it then gives way to
// others. Best effort: does nothing where the system refuses.
void LowerThisThreadToIdle();

}  // namespace mlp

#include "core/base/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <system_error>
#include <thread>
#include <vector>

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>
#include <pthread.h>
#include <sched.h>

namespace mlp {
namespace {

thread_local bool this_thread_is_idle = false;

// Linux' scheduler owes an idle thread its share too, 3 to 1,024, and pays it in whole slices of
// milliseconds, for which a thread that serves requests then waits. An idle thread that offers to
// give way ever so often is not owed any. Costs nothing noticeable where nobody else wants to run.
void GiveWayIfIdle() {
  if (this_thread_is_idle) sched_yield();
}

}  // namespace

void LowerThisThreadToIdle() {
  const sched_param parameters = {};
  this_thread_is_idle = pthread_setschedparam(pthread_self(), SCHED_IDLE, &parameters) == 0;
}

// A loop is a generation number, a count and a body. Workers sleep until the generation changes,
// take indices until none is left, and report; the caller works too, then waits for the reports.
class ThreadPool::State {
 public:
  explicit State(const ThreadPoolOptions& options) {
    const int helpers = std::max(options.threads, 1) - 1;
    try {
      for (int i = 0; i < helpers; ++i) {
        threads_.emplace_back([this, worker = i + 1, idle = options.idle_priority] {
          if (idle) LowerThisThreadToIdle();
          Work(worker);
        });
      }
    } catch (const std::system_error&) {
      // The system grants no more threads. Those there are do all the work: results do not depend
      // on their number.
    }
  }

  ~State() {
    {
      absl::MutexLock lock(&mutex_);
      stopping_ = true;
    }
    for (std::thread& thread : threads_) thread.join();
  }

  int threads() const { return static_cast<int>(threads_.size()) + 1; }

  void ParallelFor(int count, absl::FunctionRef<void(int, int)> body) {
    if (threads_.empty() || count <= 1) {
      for (int i = 0; i < count; ++i) {
        body(i, 0);
        GiveWayIfIdle();
      }
      return;
    }
    {
      absl::MutexLock lock(&mutex_);
      next_.store(0, std::memory_order_relaxed);
      count_ = count;
      body_ = &body;
      busy_ = static_cast<int>(threads_.size());
      ++generation_;
    }
    TakeIndices(count, body, 0);
    absl::MutexLock lock(&mutex_, absl::Condition(
                                      +[](int* busy) { return *busy == 0; }, &busy_));
    body_ = nullptr;
  }

 private:
  void TakeIndices(int count, absl::FunctionRef<void(int, int)> body, int worker) {
    for (int64_t i = next_.fetch_add(1); i < count; i = next_.fetch_add(1)) {
      body(static_cast<int>(i), worker);
      GiveWayIfIdle();
    }
  }

  void Work(int worker) {
    int64_t seen = 0;
    while (true) {
      int count = 0;
      const absl::FunctionRef<void(int, int)>* body = nullptr;
      {
        const auto has_work = [this, &seen]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
          return stopping_ || generation_ != seen;
        };
        absl::MutexLock lock(&mutex_, absl::Condition(&has_work));
        if (stopping_) return;
        seen = generation_;
        count = count_;
        body = body_;
      }
      TakeIndices(count, *body, worker);
      absl::MutexLock lock(&mutex_);
      --busy_;
    }
  }

  absl::Mutex mutex_;
  int64_t generation_ ABSL_GUARDED_BY(mutex_) = 0;
  int count_ ABSL_GUARDED_BY(mutex_) = 0;
  const absl::FunctionRef<void(int, int)>* body_ ABSL_GUARDED_BY(mutex_) = nullptr;
  int busy_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  // Each thread takes one index too many, so this runs past count: wider than it, never to wrap.
  std::atomic<int64_t> next_ = 0;
  std::vector<std::thread> threads_;
};

ThreadPool::ThreadPool(const ThreadPoolOptions& options)
    : state_(std::make_unique<State>(options)) {}
ThreadPool::~ThreadPool() = default;

int ThreadPool::threads() const { return state_->threads(); }

void ThreadPool::ParallelFor(int count, absl::FunctionRef<void(int, int)> body) {
  state_->ParallelFor(count, body);
}

}  // namespace mlp

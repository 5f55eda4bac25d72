#include "core/base/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <system_error>
#include <thread>
#include <vector>

#include <absl/synchronization/mutex.h>
#include <pthread.h>
#include <sched.h>

namespace mlp {
namespace {

thread_local bool this_thread_is_idle = false;

// Linux' scheduler owes an idle thread its share too, 3 to 1,024, and pays it in whole slices of
// milliseconds, for which a thread that serves requests then waits. An idle thread that offers to
// give way ever so often is not owed any. A call takes a microsecond and a training step has more
// than a hundred indices in one millisecond, so that calls are kept some time apart; looking at the
// clock takes 30 ns.
constexpr std::chrono::microseconds kBetweenYields{100};

void GiveWayIfIdle() {
  if (!this_thread_is_idle) return;
  thread_local std::chrono::steady_clock::time_point last;
  const auto now = std::chrono::steady_clock::now();
  if (now - last < kBetweenYields) return;
  last = now;
  sched_yield();
}

// How long a thread that has nothing to do looks for work before it sleeps. Waking takes tens of
// microseconds; the loops of a mini-batch step follow each other within a few, those of full-batch
// training within 250, which the optimizer spends on its own vectors.
constexpr std::chrono::microseconds kSpin{300};

// Returns when `done` says so (true) or after kSpin (false). Others who want the core get it.
template <typename Done>
bool SpinUntil(const Done& done) {
  constexpr int kLooksPerYield = 64;
  const auto end = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < kLooksPerYield; ++i) {
      if (done()) return true;
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    }
    std::this_thread::yield();
  } while (std::chrono::steady_clock::now() < end);
  return done();
}

// The next index of a loop and which loop it is of, in one word: an index can only be taken of the
// loop that it was seen with.
struct Ticket {
  uint32_t loop;
  uint32_t index;
};
// No loop has so many: nothing is left to take.
constexpr uint32_t kClosed = UINT32_MAX;

uint64_t Pack(Ticket ticket) { return uint64_t{ticket.loop} << 32 | ticket.index; }
Ticket Unpack(uint64_t word) {
  return {static_cast<uint32_t>(word >> 32), static_cast<uint32_t>(word)};
}

}  // namespace

void LowerThisThreadToIdle() {
  const sched_param parameters = {};
  this_thread_is_idle = pthread_setschedparam(pthread_self(), SCHED_IDLE, &parameters) == 0;
}

// The caller writes a loop's count and body and opens it with a new ticket. All threads take
// indices until none is left; the loop is over when all that were taken are done, so that a thread
// that comes late, because the system gave it no time, holds up nobody. A ticket is closed before
// the next loop's count and body are written: whoever takes an index has read those of its loop.
//
// Threads that wait spin for a while and then sleep under mutex_; whoever changes what they wait
// for takes the mutex, which wakes them, where it sees that somebody sleeps. Changes and looks are
// sequentially consistent, so that one of the two sees the other.
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
    stopping_.store(true);
    Wake();
    for (std::thread& thread : threads_) thread.join();
  }

  int threads() const { return static_cast<int>(threads_.size()) + 1; }

  static void SerialFor(int count, absl::FunctionRef<void(int, int)> body) {
    for (int i = 0; i < count; ++i) {
      body(i, 0);
      GiveWayIfIdle();
    }
  }

  void ParallelFor(int count, absl::FunctionRef<void(int, int)> body) {
    if (threads_.empty() || count <= 1) return SerialFor(count, body);
    done_.store(0);
    count_.store(static_cast<uint32_t>(count));
    body_.store(&body);
    const uint32_t loop = Unpack(ticket_.load()).loop + 1;
    ticket_.store(Pack({.loop = loop, .index = 0}));
    if (sleepers_.load() > 0) Wake();

    TakeIndices(0);
    const auto is_done = [this, count] { return done_.load() == static_cast<uint32_t>(count); };
    if (!SpinUntil(is_done)) SleepUntil(is_done);
    ticket_.store(Pack({.loop = loop, .index = kClosed}));
  }

 private:
  // Until none is left.
  void TakeIndices(int worker) {
    uint64_t seen = ticket_.load();
    while (true) {
      const Ticket ticket = Unpack(seen);
      const uint32_t count = count_.load();
      const absl::FunctionRef<void(int, int)>* body = body_.load();
      if (ticket.index >= count) return;
      // Fails, and sees the ticket anew, where another took the index or the loop is over.
      if (!ticket_.compare_exchange_weak(seen, seen + 1)) continue;
      (*body)(static_cast<int>(ticket.index), worker);
      GiveWayIfIdle();
      if (done_.fetch_add(1) + 1 == count && sleepers_.load() > 0) Wake();
      seen = ticket_.load();
    }
  }

  void Work(int worker) {
    uint32_t seen = 0;
    const auto has_work = [this, &seen] {
      return stopping_.load() || Unpack(ticket_.load()).loop != seen;
    };
    while (true) {
      if (!SpinUntil(has_work)) SleepUntil(has_work);
      if (stopping_.load()) return;
      seen = Unpack(ticket_.load()).loop;
      TakeIndices(worker);
    }
  }

  template <typename Done>
  void SleepUntil(const Done& done) {
    sleepers_.fetch_add(1);
    { absl::MutexLock lock(&mutex_, absl::Condition(&done)); }
    sleepers_.fetch_sub(1);
  }

  // A mutex that is released has the conditions of those who wait for it looked at.
  void Wake() { absl::MutexLock lock(&mutex_); }

  absl::Mutex mutex_;  // guards nothing: sleeping alone
  std::atomic<int> sleepers_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<uint64_t> ticket_ = Pack({.loop = 0, .index = kClosed});
  // Of the open loop.
  std::atomic<uint32_t> count_ = 0;
  std::atomic<uint32_t> done_ = 0;
  std::atomic<const absl::FunctionRef<void(int, int)>*> body_ = nullptr;
  std::vector<std::thread> threads_;
};

ThreadPool::ThreadPool(const ThreadPoolOptions& options)
    : state_(std::make_unique<State>(options)) {}
ThreadPool::~ThreadPool() = default;

int ThreadPool::threads() const { return state_->threads(); }

void ThreadPool::ParallelFor(int count, absl::FunctionRef<void(int, int)> body) {
  state_->ParallelFor(count, body);
}

void ThreadPool::SerialFor(int count, absl::FunctionRef<void(int, int)> body) {
  State::SerialFor(count, body);
}

}  // namespace mlp

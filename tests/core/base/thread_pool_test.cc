#include "core/base/thread_pool.h"

#include <atomic>
#include <barrier>
#include <climits>
#include <mutex>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sched.h>

namespace mlp {
namespace {

TEST(ThreadPool, ASerialLoopStaysOnTheCallingThread) {
  ThreadPool pool({.threads = 3});
  const std::thread::id caller = std::this_thread::get_id();
  std::vector<int> seen;
  pool.SerialFor(5, [&](int index, int worker) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    EXPECT_EQ(worker, 0);
    seen.push_back(index);
  });
  EXPECT_EQ(seen, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(ThreadPool, CallsEveryIndexOnce) {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool({.threads = threads});
    EXPECT_EQ(pool.threads(), threads);
    for (const int count : {0, 1, 2, threads - 1, threads, threads + 1, 1000}) {
      std::vector<std::atomic<int>> calls(static_cast<size_t>(count));
      pool.ParallelFor(count, [&calls](int index, int) { ++calls[static_cast<size_t>(index)]; });
      for (int i = 0; i < count; ++i) {
        EXPECT_EQ(calls[static_cast<size_t>(i)], 1)
            << "index " << i << " of " << count << ", " << threads << " threads";
      }
    }
  }
}

TEST(ThreadPool, NoTwoCallsOfOneWorkerOverlap) {
  constexpr int kThreads = 4;
  ThreadPool pool({.threads = kThreads});
  std::vector<std::atomic<bool>> busy(kThreads);
  std::atomic<int> overlaps = 0;
  std::atomic<int> strangers = 0;
  pool.ParallelFor(20'000, [&](int, int worker) {
    if (worker < 0 || worker >= kThreads) {
      ++strangers;
      return;
    }
    if (busy[static_cast<size_t>(worker)].exchange(true)) ++overlaps;
    busy[static_cast<size_t>(worker)].store(false);
  });
  EXPECT_EQ(overlaps, 0);
  EXPECT_EQ(strangers, 0);
}

// The barrier opens only when all four are inside a call at the same time.
TEST(ThreadPool, AllThreadsWorkAtOnce) {
  constexpr int kThreads = 4;
  ThreadPool pool({.threads = kThreads});
  std::barrier barrier(kThreads);
  std::mutex mutex;
  std::vector<int> workers;
  std::vector<std::thread::id> ids;
  pool.ParallelFor(kThreads, [&](int, int worker) {
    {
      const std::lock_guard lock(mutex);
      workers.push_back(worker);
      ids.push_back(std::this_thread::get_id());
    }
    barrier.arrive_and_wait();
  });
  for (size_t a = 0; a < kThreads; ++a) {
    for (size_t b = a + 1; b < kThreads; ++b) {
      EXPECT_NE(workers[a], workers[b]);
      EXPECT_NE(ids[a], ids[b]);
    }
  }
}

TEST(ThreadPool, HandsIndicesOutInRisingOrder) {
  constexpr int kThreads = 4;
  ThreadPool pool({.threads = kThreads});
  std::vector<int> last(kThreads, -1);
  std::atomic<int> falls = 0;
  pool.ParallelFor(20'000, [&](int index, int worker) {
    int& previous = last[static_cast<size_t>(worker)];
    if (index <= previous) ++falls;
    previous = index;
  });
  EXPECT_EQ(falls, 0);
}

TEST(ThreadPool, OneThreadIsTheCaller) {
  ThreadPool pool({.threads = 1});
  std::vector<int> order;
  pool.ParallelFor(5, [&, caller = std::this_thread::get_id()](int index, int worker) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    EXPECT_EQ(worker, 0);
    order.push_back(index);
  });
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(ThreadPool, FewerThanOneThreadMeansOne) {
  EXPECT_EQ(ThreadPool({.threads = 0}).threads(), 1);
  EXPECT_EQ(ThreadPool({.threads = INT_MIN}).threads(), 1);
}

TEST(ThreadPool, NothingToDoCallsNothing) {
  ThreadPool pool({.threads = 3});
  for (const int count : {0, -1, INT_MIN}) {
    pool.ParallelFor(count, [](int, int) { ADD_FAILURE() << "called"; });
  }
}

// Everything that the calls wrote, without atomics, is there when ParallelFor returns, and what the
// caller writes between loops is there for the calls.
TEST(ThreadPool, OneLoopFollowsAnotherThousandsOfTimes) {
  ThreadPool pool({.threads = 3});
  std::vector<int64_t> cells(7, 0);
  int64_t step = 0;
  for (int loop = 0; loop < 5000; ++loop) {
    step = loop;
    pool.ParallelFor(static_cast<int>(cells.size()),
                     [&](int index, int) { cells[static_cast<size_t>(index)] += step + index; });
    if (loop % 3 == 0) pool.ParallelFor(1, [&](int, int) { cells[0] += 0; });
  }
  for (size_t i = 0; i < cells.size(); ++i) {
    EXPECT_EQ(cells[i], 4999 * 5000 / 2 + 5000 * static_cast<int64_t>(i));
  }
}

TEST(ThreadPool, StartsAndStopsWithoutWork) {
  for (int i = 0; i < 200; ++i) ThreadPool pool({.threads = 4});
}

TEST(ThreadPool, MayBeCalledByDifferentThreadsInTurn) {
  ThreadPool pool({.threads = 2});
  int64_t sum = 0;
  for (int turn = 0; turn < 20; ++turn) {
    std::thread caller([&] {
      std::vector<int64_t> parts(static_cast<size_t>(pool.threads()), 0);
      pool.ParallelFor(100, [&](int i, int worker) { parts[static_cast<size_t>(worker)] += i; });
      for (const int64_t part : parts) sum += part;
    });
    caller.join();
  }
  EXPECT_EQ(sum, 20 * 4950);
}

TEST(ThreadPool, IdlePriorityIsForThePoolsThreadsAlone) {
  constexpr int kThreads = 3;
  const int before = sched_getscheduler(0);
  ThreadPool pool({.threads = kThreads, .idle_priority = true});
  std::barrier barrier(kThreads);
  std::vector<int> policies(kThreads, -1);
  pool.ParallelFor(kThreads, [&](int, int worker) {
    policies[static_cast<size_t>(worker)] = sched_getscheduler(0);
    barrier.arrive_and_wait();
  });
  EXPECT_EQ(policies[0], before);
  EXPECT_EQ(policies[1], SCHED_IDLE);
  EXPECT_EQ(policies[2], SCHED_IDLE);
}

TEST(ThreadPool, LowerThisThreadToIdleLowersThisThread) {
  const int before = sched_getscheduler(0);
  int during = -1;
  std::thread lowered([&during] {
    LowerThisThreadToIdle();
    during = sched_getscheduler(0);
  });
  lowered.join();
  EXPECT_EQ(during, SCHED_IDLE);
  EXPECT_EQ(sched_getscheduler(0), before);
}

}  // namespace
}  // namespace mlp

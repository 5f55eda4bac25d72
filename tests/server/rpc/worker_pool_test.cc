#include "server/rpc/worker_pool.h"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include <absl/synchronization/blocking_counter.h>
#include <absl/synchronization/notification.h>
#include <gtest/gtest.h>

namespace mlp {
namespace {

TEST(WorkerPool, RunsTasksAtTheSameTime) {
  WorkerPool pool({.max_threads = 4, .max_idle_threads = 1});
  absl::BlockingCounter all_run(4);
  absl::Notification go_on;
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(pool.Run([&] {
      all_run.DecrementCount();
      go_on.WaitForNotification();
    }));
  }
  all_run.Wait();
  go_on.Notify();
}

TEST(WorkerPool, RefusesATaskWhereAllThreadsAreBusy) {
  WorkerPool pool({.max_threads = 2, .max_idle_threads = 2});
  absl::Notification go_on;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(pool.Run([&] { go_on.WaitForNotification(); }));
  }
  std::atomic<bool> refused_ran = false;
  EXPECT_FALSE(pool.Run([&] { refused_ran = true; }));
  go_on.Notify();
  pool.Stop();
  EXPECT_FALSE(refused_ran);
}

TEST(WorkerPool, TakesTasksAgainOnceThreadsAreFree) {
  for (const int idle : {0, 1, 4}) {
    WorkerPool pool({.max_threads = 1, .max_idle_threads = idle});
    for (int i = 0; i < 200; ++i) {
      absl::Notification done;
      // The thread is not free before its task has returned, a moment after it says so.
      while (!pool.Run([&] { done.Notify(); })) std::this_thread::yield();
      done.WaitForNotification();
    }
  }
}

TEST(WorkerPool, RunsEachTaskOnceThatItTookFromManyThreads) {
  constexpr int kThreads = 8;
  constexpr int kTasks = 500;
  std::atomic<int> ran = 0;
  std::atomic<int> taken = 0;
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  {
    WorkerPool pool({.max_threads = 5, .max_idle_threads = 2});
    std::vector<std::thread> callers;
    for (int i = 0; i < kThreads; ++i) {
      callers.emplace_back([&] {
        for (int j = 0; j < kTasks; ++j) {
          taken += pool.Run([&] {
            const int now = ++running;
            int seen = most;
            while (now > seen && !most.compare_exchange_weak(seen, now)) {
            }
            ++ran;
            --running;
          });
        }
      });
    }
    for (std::thread& caller : callers) caller.join();
    pool.Stop();
  }
  EXPECT_EQ(ran, taken);
  EXPECT_GT(taken, 0);
  EXPECT_LE(most, 5);
}

TEST(WorkerPool, StopWaitsForRunningTasksAndTakesNoMore) {
  WorkerPool pool({.max_threads = 2, .max_idle_threads = 2});
  absl::Notification started;
  absl::Notification go_on;
  std::atomic<bool> ended = false;
  ASSERT_TRUE(pool.Run([&] {
    started.Notify();
    go_on.WaitForNotification();
    ended = true;
  }));
  started.WaitForNotification();
  std::thread stopper([&] {
    pool.Stop();
    EXPECT_TRUE(ended);
  });
  go_on.Notify();
  stopper.join();
  EXPECT_FALSE(pool.Run([] {}));
  pool.Stop();
}

TEST(WorkerPool, LetsGoOfATaskWhenItHasRun) {
  WorkerPool pool({.max_threads = 1, .max_idle_threads = 1});
  auto held = std::make_shared<int>(7);
  const std::weak_ptr<int> watched = held;
  ASSERT_TRUE(pool.Run([held = std::move(held)] { EXPECT_EQ(*held, 7); }));
  pool.Stop();
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace mlp

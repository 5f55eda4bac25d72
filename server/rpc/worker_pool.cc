#include "server/rpc/worker_pool.h"

#include <iterator>
#include <system_error>
#include <utility>

namespace mlp {

void WorkerPool::Stop() {
  Threads all;
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    // Threads move themselves to ended_ when they go: the list's nodes stay where they are.
    const auto none_left = [this]()
                               ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return threads_.empty(); };
    mutex_.Await(absl::Condition(&none_left));
    all.splice(all.end(), ended_);
  }
  for (std::thread& thread : all) thread.join();
}

bool WorkerPool::Run(std::function<void()> task) {
  Threads ended;
  {
    absl::MutexLock lock(&mutex_);
    ended.splice(ended.end(), ended_);
    if (stopping_) return false;
    if (idle_ > static_cast<int>(tasks_.size())) {
      tasks_.push_back(std::move(task));
    } else if (static_cast<int>(threads_.size()) < options_.max_threads) {
      tasks_.push_back(std::move(task));
      ++idle_;  // the new thread is, until it has taken its task
      threads_.emplace_back();
      const auto self = std::prev(threads_.end());
      try {
        *self = std::thread([this, self] { Work(self); });
      } catch (const std::system_error&) {
        threads_.erase(self);
        --idle_;
        tasks_.pop_back();
        return false;
      }
    } else {
      return false;
    }
  }
  for (std::thread& thread : ended) thread.join();
  return true;
}

void WorkerPool::Work(Threads::iterator self) {
  mutex_.Lock();
  while (true) {
    const auto has_news = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return !tasks_.empty() || stopping_;
    };
    mutex_.Await(absl::Condition(&has_news));
    if (tasks_.empty()) break;  // stopping
    std::function<void()> task = std::move(tasks_.back());
    tasks_.pop_back();
    --idle_;
    mutex_.Unlock();
    task();
    task = nullptr;  // lets go of what it holds before the thread waits
    mutex_.Lock();
    ++idle_;
    if (idle_ - static_cast<int>(tasks_.size()) > options_.max_idle_threads) break;
  }
  --idle_;
  ended_.splice(ended_.end(), threads_, self);
  mutex_.Unlock();
}

}  // namespace mlp

#include "server/rpc/poller.h"

#include <atomic>
#include <chrono>
#include <thread>
#include <utility>

#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>

#include "server/rpc/completion_tag.h"

namespace mlp {
namespace {

using TimePoint = std::chrono::system_clock::time_point;

// Events handled before the work they brought gets its turn.
constexpr int kMaxEventsInARow = 256;
// gRPC waits in whole milliseconds: shorter waits are polled away.
constexpr absl::Duration kShortestWait = absl::Milliseconds(2);
// The epoch: gRPC takes anything before it for the infinite future.
constexpr TimePoint kWithoutWaiting;

TimePoint After(absl::Duration wait) {
  if (wait < kShortestWait) return kWithoutWaiting;
  return std::chrono::system_clock::now() + absl::ToChronoMicroseconds(wait);
}

// Comes back from the queue at once and is gone then.
class WakeTag final : public CompletionTag {
 public:
  explicit WakeTag(grpc::CompletionQueue& queue) { alarm_.Set(&queue, kWithoutWaiting, this); }
  void Completed(bool) override { delete this; }

 private:
  grpc::Alarm alarm_;
};

}  // namespace

class Poller::Impl final : public CompletionTag {
 public:
  explicit Impl(grpc::ServerBuilder& builder) : queue_(builder.AddCompletionQueue()) {}

  ~Impl() override { Stop(); }

  grpc::ServerCompletionQueue& queue() { return *queue_; }

  void Start(Work work) {
    work_ = std::move(work);
    thread_ = std::thread([this] { Poll(); });
  }

  void Wake() { new WakeTag(*queue_); }

  void Stop() {
    if (stopped_) return;
    stopped_ = true;
    if (!thread_.joinable()) {  // never started
      queue_->Shutdown();
      Discard();
      return;
    }
    // The polling thread closes the queue itself, so that its tags never start an operation on a
    // closed one.
    stop_.Set(queue_.get(), kWithoutWaiting, this);
    thread_.join();
  }

  // The alarm of Stop.
  void Completed(bool) override {
    closed_ = true;
    queue_->Shutdown();
  }

  bool closed() const { return closed_; }

  bool OnPollingThread() const {
    return std::this_thread::get_id() == polling_thread_.load(std::memory_order_relaxed);
  }

 private:
  void Poll() {
    polling_thread_ = std::this_thread::get_id();
    absl::Duration wait = absl::InfiniteDuration();
    while (true) {
      // Where nothing was left to do, the next event has just come and is most likely alone: its
      // work runs at once. Looking for others first would cost a lone caller a system call.
      const bool was_idle = wait == absl::InfiniteDuration();
      if (was_idle ? !HandleNext() : !HandleReady(After(wait))) return;
      wait = work_();
      if (wait < absl::InfiniteDuration()) continue;
      if (!HandleReady(kWithoutWaiting)) return;
      wait = work_();
    }
  }

  // Waits for an event. False when the queue is closed and empty.
  bool HandleNext() {
    void* tag = nullptr;
    bool ok = false;
    if (!queue_->Next(&tag, &ok)) return false;
    static_cast<CompletionTag*>(tag)->Completed(ok);
    return true;
  }

  // Waits until `deadline` for one event, and takes those that are ready then.
  bool HandleReady(TimePoint deadline) {
    void* tag = nullptr;
    bool ok = false;
    for (int events = 0; events < kMaxEventsInARow; ++events) {
      const auto next = queue_->AsyncNext(&tag, &ok, deadline);
      if (next == grpc::CompletionQueue::SHUTDOWN) return false;
      if (next == grpc::CompletionQueue::TIMEOUT) break;
      static_cast<CompletionTag*>(tag)->Completed(ok);
      deadline = kWithoutWaiting;
    }
    return true;
  }

  void Discard() {
    void* tag = nullptr;
    bool ok = false;
    while (queue_->Next(&tag, &ok)) {
    }
  }

  const std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  Work work_;
  bool stopped_ = false;
  bool closed_ = false;  // polling thread only
  grpc::Alarm stop_;
  std::atomic<std::thread::id> polling_thread_;
  std::thread thread_;
};

Poller::Poller(grpc::ServerBuilder& builder) : impl_(std::make_unique<Impl>(builder)) {}
Poller::~Poller() = default;
grpc::ServerCompletionQueue& Poller::queue() { return impl_->queue(); }
void Poller::Start(Work work) { impl_->Start(std::move(work)); }
void Poller::Wake() { impl_->Wake(); }
void Poller::Stop() { impl_->Stop(); }
bool Poller::closed() const { return impl_->closed(); }
bool Poller::OnPollingThread() const { return impl_->OnPollingThread(); }

}  // namespace mlp

// Decides when the calls of one connection are sent, and counts their answers.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <stop_token>
#include <vector>

#include <absl/base/thread_annotations.h>
#include <absl/status/status.h>
#include <absl/synchronization/mutex.h>

#include "client/load/arrivals.h"
#include "client/load/call_transport.h"
#include "client/load/latency_histogram.h"
#include "client/load/load_clock.h"

namespace mlp {

// How many measured calls may still begin; shared by the connections of a load. Thread-safe.
class CallBudget {
 public:
  // 0 means without end.
  explicit CallBudget(int64_t calls) : endless_(calls == 0), left_(calls) {}

  bool Take() { return endless_ || left_.fetch_sub(1, std::memory_order_relaxed) > 0; }

 private:
  const bool endless_;
  std::atomic<int64_t> left_;
};

// What became of the calls that were due within the measured time.
struct LoadRecord {
  // A sleep of the sender that is longer by less than this is the system's affair.
  static constexpr int64_t kTardyNs = 1'000'000;

  // Of the answers without an error: from when the call was to be sent.
  LatencyHistogram latency;
  std::map<absl::StatusCode, int64_t> errors;
  // Answers without an error within the measured time, whenever their calls began, and their bytes:
  // the throughput. Calls of the warm-up that are outstanding when it ends make up for measured
  // ones that are when the time is over.
  int64_t completed = 0;
  int64_t received_bytes = 0;
  int64_t sent_bytes = 0;
  // Open loop. Sent after they were due: since too many calls were outstanding, or, more than
  // kTardyNs late, since this side was too slow. Not sent at all until the end.
  int64_t late = 0;
  int64_t tardy = 0;
  int64_t unsent = 0;
  // Given up by this side when the load ended.
  int64_t unanswered = 0;
  // When the last of them was answered.
  int64_t last_answer_ns = 0;
  // Why the load ended early: the connection or the server was gone. Otherwise OK.
  absl::StatusCode lost = absl::StatusCode::kOk;

  // How many they are.
  int64_t due() const;
  void Merge(const LoadRecord& other);
};

struct WorkerOptions {
  // Calls outstanding: always (closed loop), or at most (open loop).
  int slots = 1;
  // Sizes of the transport's requests, which are sent in turn.
  std::vector<int64_t> request_bytes;
  // By the clock. Calls that begin earlier are warm-up and leave no trace; none begins after the
  // end.
  int64_t measure_from_ns = 0;
  int64_t end_ns = INT64_MAX;
  // Called once, when nothing is outstanding any more and nothing more will be sent.
  std::function<void()> on_idle;
};

// Closed loop: each answer sends the next call. Open loop: calls are sent when the schedule says,
// and their latency counts from then, so that waiting for a slow server counts as latency instead
// of being left out (coordinated omission); what the warm-up could not send in its time is dropped,
// so that the measured time begins with its own calls. A connection whose answers are nothing but
// UNAVAILABLE ends its load. Thread-safe.
class LoadWorker {
 public:
  // `budget` and `clock` must outlive it.
  LoadWorker(WorkerOptions options, CallBudget& budget, LoadClock& clock);

  // Fills every slot and returns.
  void StartClosedLoop(CallTransport& transport);
  // Sends until the schedule reaches the end, the budget is used up, or `stop` is requested.
  // Schedule times count from `start_ns`.
  void RunOpenLoop(CallTransport& transport, ArrivalSchedule& schedule, int64_t start_ns,
                   const std::stop_token& stop);

  // The transport's on_answer.
  void OnAnswer(const CallAnswer& answer);

  // Sends no more calls. Where it gives up, answers of CANCELLED count as unanswered from now on.
  void StopSending(bool give_up);

  LoadRecord record() const;
  // Measured calls that were answered so far, errors included.
  int64_t answered() const;

 private:
  struct Slot {
    int64_t due_ns = 0;
    bool measured = false;
  };

  // Whether a call may begin now.
  bool TakeCallLocked(int64_t now_ns) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Fills in the slot; returns which request to send.
  size_t OccupyLocked(int slot, int64_t due_ns) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CountLocked(const Slot& slot, const CallAnswer& answer, int64_t now_ns)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool MayTakeSlotLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return stopped_ || !free_.empty();
  }
  // Sends a call, or stops where the connection is gone.
  void Send(CallTransport& transport, int slot, size_t request);
  void Release(int slot);
  // Waits until a slot is free. False where the load ended before.
  bool AwaitSlot(int64_t due_ns);
  // Of the warm-up, which is over.
  bool Overdue(int64_t due_ns) {
    return due_ns < options_.measure_from_ns && clock_.NowNs() >= options_.measure_from_ns;
  }
  // Takes a free slot.
  void SendDue(CallTransport& transport, int64_t due_ns);
  void CountLatenessLocked(int64_t due_ns) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CountUnsent(ArrivalSchedule& schedule, int64_t start_ns);
  void EndSending();

  const WorkerOptions options_;
  CallBudget& budget_;
  LoadClock& clock_;
  std::atomic<CallTransport*> transport_ = nullptr;
  bool closed_ = false;  // set before the first call
  mutable absl::Mutex mutex_;
  std::vector<Slot> slots_ ABSL_GUARDED_BY(mutex_);
  std::vector<int> free_ ABSL_GUARDED_BY(mutex_);
  LoadRecord record_ ABSL_GUARDED_BY(mutex_);
  int64_t answered_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t next_request_ ABSL_GUARDED_BY(mutex_) = 0;
  int unavailable_in_a_row_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::StatusCode last_error_ ABSL_GUARDED_BY(mutex_) = absl::StatusCode::kUnavailable;
  // Until then all slots were taken.
  int64_t full_until_ns_ ABSL_GUARDED_BY(mutex_) = INT64_MIN;
  bool sending_ ABSL_GUARDED_BY(mutex_) = true;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  bool gave_up_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace mlp

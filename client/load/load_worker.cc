#include "client/load/load_worker.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace mlp {
namespace {

// A server that drains or has died answers at once: without this a closed loop would only count how
// fast calls can fail.
constexpr int kMaxUnavailableInARow = 100;

}  // namespace

int64_t LoadRecord::due() const {
  int64_t due = latency.count() + unanswered + unsent;
  for (const auto& [code, count] : errors) due += count;
  return due;
}

void LoadRecord::Merge(const LoadRecord& other) {
  latency.Merge(other.latency);
  for (const auto& [code, count] : other.errors) errors[code] += count;
  completed += other.completed;
  received_bytes += other.received_bytes;
  sent_bytes += other.sent_bytes;
  late += other.late;
  tardy += other.tardy;
  unsent += other.unsent;
  unanswered += other.unanswered;
  last_answer_ns = std::max(last_answer_ns, other.last_answer_ns);
  if (lost == absl::StatusCode::kOk) lost = other.lost;
}

LoadWorker::LoadWorker(WorkerOptions options, CallBudget& budget, LoadClock& clock)
    : options_(std::move(options)), budget_(budget), clock_(clock) {
  absl::MutexLock lock(&mutex_);
  slots_.resize(static_cast<size_t>(options_.slots));
  for (int slot = options_.slots; slot-- > 0;) free_.push_back(slot);
}

void LoadWorker::StartClosedLoop(CallTransport& transport) {
  transport_ = &transport;
  closed_ = true;
  for (int i = 0; i < options_.slots; ++i) {
    size_t request = 0;
    int slot = 0;
    {
      absl::MutexLock lock(&mutex_);
      const int64_t now_ns = clock_.NowNs();
      if (!TakeCallLocked(now_ns)) break;
      slot = free_.back();
      free_.pop_back();
      request = OccupyLocked(slot, now_ns);
    }
    Send(transport, slot, request);
  }
  EndSending();
}

void LoadWorker::RunOpenLoop(CallTransport& transport, ArrivalSchedule& schedule, int64_t start_ns,
                             const std::stop_token& stop) {
  transport_ = &transport;
  while (true) {
    const int64_t due_ns = start_ns + schedule.Next();
    if (due_ns >= options_.end_ns) break;
    if (due_ns >= options_.measure_from_ns && !budget_.Take()) break;
    if (Overdue(due_ns)) continue;
    if (!clock_.SleepUntil(due_ns, stop)) break;
    if (!AwaitSlot(due_ns)) {
      if (!stop.stop_requested()) CountUnsent(schedule, start_ns);
      break;
    }
    if (!Overdue(due_ns)) SendDue(transport, due_ns);
  }
  EndSending();
}

bool LoadWorker::AwaitSlot(int64_t due_ns) {
  absl::MutexLock lock(&mutex_);
  if (free_.empty()) {
    clock_.Await(mutex_, absl::Condition(this, &LoadWorker::MayTakeSlotLocked));
    full_until_ns_ = clock_.NowNs();
  }
  if (!stopped_ && clock_.NowNs() < options_.end_ns) return true;
  if (due_ns >= options_.measure_from_ns && !gave_up_) ++record_.unsent;
  return false;
}

void LoadWorker::SendDue(CallTransport& transport, int64_t due_ns) {
  int slot = 0;
  size_t request = 0;
  {
    absl::MutexLock lock(&mutex_);
    slot = free_.back();
    free_.pop_back();
    request = OccupyLocked(slot, due_ns);
    if (due_ns >= options_.measure_from_ns) CountLatenessLocked(due_ns);
  }
  Send(transport, slot, request);
}

void LoadWorker::CountLatenessLocked(int64_t due_ns) {
  // Those due while the slots were taken are late too, though free ones are found now.
  if (due_ns < full_until_ns_) {
    ++record_.late;
  } else if (clock_.NowNs() - due_ns > LoadRecord::kTardyNs) {
    ++record_.tardy;
  }
}

void LoadWorker::CountUnsent(ArrivalSchedule& schedule, int64_t start_ns) {
  const int64_t end_ns = std::min(options_.end_ns, clock_.NowNs());
  int64_t unsent = 0;
  while (true) {
    const int64_t due_ns = start_ns + schedule.Next();
    if (due_ns >= end_ns) break;
    if (due_ns < options_.measure_from_ns) continue;
    if (!budget_.Take()) break;
    ++unsent;
  }
  absl::MutexLock lock(&mutex_);
  record_.unsent += unsent;
}

void LoadWorker::OnAnswer(const CallAnswer& answer) {
  size_t request = 0;
  bool again = false;
  {
    absl::MutexLock lock(&mutex_);
    const int64_t now_ns = clock_.NowNs();
    CountLocked(slots_[static_cast<size_t>(answer.slot)], answer, now_ns);
    again = closed_ && TakeCallLocked(now_ns);
    if (again) request = OccupyLocked(answer.slot, now_ns);
  }
  if (again) {
    Send(*transport_, answer.slot, request);
  } else {
    Release(answer.slot);
  }
}

void LoadWorker::CountLocked(const Slot& slot, const CallAnswer& answer, int64_t now_ns) {
  const bool unavailable = answer.code == absl::StatusCode::kUnavailable;
  unavailable_in_a_row_ = unavailable ? unavailable_in_a_row_ + 1 : 0;
  if (unavailable_in_a_row_ >= kMaxUnavailableInARow) {
    record_.lost = answer.code;
    stopped_ = true;
  }
  if (answer.code != absl::StatusCode::kOk) last_error_ = answer.code;
  if (answer.code == absl::StatusCode::kOk && now_ns >= options_.measure_from_ns &&
      now_ns < options_.end_ns) {
    ++record_.completed;
    record_.received_bytes += answer.bytes;
  }
  if (!slot.measured) return;
  if (gave_up_ && answer.code == absl::StatusCode::kCancelled) {
    ++record_.unanswered;
    return;
  }
  ++answered_;
  record_.last_answer_ns = std::max(record_.last_answer_ns, now_ns);
  if (answer.code != absl::StatusCode::kOk) {
    ++record_.errors[answer.code];
    return;
  }
  record_.latency.Record(now_ns - slot.due_ns);
}

bool LoadWorker::TakeCallLocked(int64_t now_ns) {
  if (stopped_ || now_ns >= options_.end_ns) return false;
  return now_ns < options_.measure_from_ns || budget_.Take();
}

size_t LoadWorker::OccupyLocked(int slot, int64_t due_ns) {
  const bool measured = due_ns >= options_.measure_from_ns;
  slots_[static_cast<size_t>(slot)] = {due_ns, measured};
  const size_t request = next_request_++ % options_.request_bytes.size();
  if (measured) record_.sent_bytes += options_.request_bytes[request];
  return request;
}

void LoadWorker::Send(CallTransport& transport, int slot, size_t request) {
  if (transport.Start(slot, request)) return;
  {
    absl::MutexLock lock(&mutex_);
    Slot& unsent = slots_[static_cast<size_t>(slot)];
    if (unsent.measured) record_.sent_bytes -= options_.request_bytes[request];
    // While giving up, the transport refuses too: no news then.
    if (unsent.measured && !gave_up_) ++record_.errors[absl::StatusCode::kUnavailable];
    if (!gave_up_) record_.lost = last_error_;
    stopped_ = true;
  }
  Release(slot);
}

void LoadWorker::Release(int slot) {
  bool idle = false;
  {
    absl::MutexLock lock(&mutex_);
    free_.push_back(slot);
    idle = !sending_ && free_.size() == slots_.size();
  }
  if (idle) options_.on_idle();
}

void LoadWorker::EndSending() {
  bool idle = false;
  {
    absl::MutexLock lock(&mutex_);
    sending_ = false;
    idle = free_.size() == slots_.size();
  }
  if (idle) options_.on_idle();
}

void LoadWorker::StopSending(bool give_up) {
  absl::MutexLock lock(&mutex_);
  stopped_ = true;
  gave_up_ = gave_up_ || give_up;
}

LoadRecord LoadWorker::record() const {
  absl::MutexLock lock(&mutex_);
  return record_;
}

int64_t LoadWorker::answered() const {
  absl::MutexLock lock(&mutex_);
  return answered_;
}

}  // namespace mlp

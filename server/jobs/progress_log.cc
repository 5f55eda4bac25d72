#include "server/jobs/progress_log.h"

#include <algorithm>
#include <utility>

#include <absl/strings/str_cat.h>

namespace mlp {

// Guarded by the log's mutex_, but for what is const.
struct ProgressLog::Entry {
  const int64_t job_id;
  const std::string model;
  const std::stop_source stop;
  std::vector<ProgressPoint> waiting;
  int64_t unsettled = 0;  // points that are neither durable nor given up
  int durable = -1;
  int retries = 0;
  bool open = true;
  absl::Status status;
};

ProgressLog::Writer::Writer(ProgressLog& log, std::shared_ptr<Entry> entry)
    : log_(log), entry_(std::move(entry)) {
  newest_.iteration = -1;
}

ProgressLog::Writer::~Writer() {
  ProgressLog& log = log_;
  Entry& entry = *entry_;
  absl::MutexLock lock(&log.mutex_);
  entry.open = false;
  log.GiveUpWaiting(entry);
  // A batch that is being stored is waited for, so that nothing is heard of the job afterwards.
  const auto settled = [&entry] { return entry.unsettled == 0; };
  log.mutex_.Await(absl::Condition(&settled));
  log.entries_.erase(entry.job_id);
}

void ProgressLog::Writer::OnProgress(const ProgressPoint& point) {
  newest_ = point;
  ProgressLog& log = log_;
  Entry& entry = *entry_;
  absl::MutexLock lock(&log.mutex_);
  const auto may_append = [&log, &entry]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(log.mutex_) {
    return log.pending_ < log.options_.max_pending_points || !entry.status.ok();
  };
  // A request to stop does not touch the mutex, so it is looked for now and then.
  while (!log.mutex_.AwaitWithTimeout(absl::Condition(&may_append), absl::Milliseconds(100))) {
    if (entry.stop.stop_requested()) break;
  }
  if (!entry.status.ok()) return;
  entry.waiting.push_back(point);
  ++entry.unsettled;
  ++log.pending_;
}

absl::Status ProgressLog::Writer::Flush() {
  ProgressLog& log = log_;
  Entry& entry = *entry_;
  const auto settled = [&entry] { return entry.unsettled == 0; };
  absl::MutexLock lock(&log.mutex_);
  ++log.flushing_;
  log.mutex_.Await(absl::Condition(&settled));
  --log.flushing_;
  return entry.status;
}

absl::Status ProgressLog::Writer::AwaitDurable(int iteration) {
  ProgressLog& log = log_;
  Entry& entry = *entry_;
  const auto durable = [&entry, iteration] {
    return entry.durable >= iteration || !entry.status.ok();
  };
  absl::MutexLock lock(&log.mutex_);
  log.mutex_.Await(absl::Condition(&durable));
  return entry.status;
}

ProgressLog::ProgressLog(const ProgressLogOptions& options, Store& store, Metrics& metrics,
                         JobNotifier& notifier)
    : options_(options), store_(store), metrics_(metrics), notifier_(notifier), thread_([this] {
        Run();
      }) {}

ProgressLog::~ProgressLog() {
  {
    absl::MutexLock lock(&mutex_);
    closing_ = true;
  }
  thread_.join();
}

std::unique_ptr<ProgressLog::Writer> ProgressLog::Open(const v1::TrainingJob& job,
                                                       std::stop_source stop, int last_iteration) {
  auto entry = std::make_shared<Entry>(Entry{
      job.id(), job.model(), std::move(stop), {}, 0, last_iteration, 0, true, absl::OkStatus()});
  absl::MutexLock lock(&mutex_);
  entries_[job.id()] = entry;
  return std::unique_ptr<Writer>(new Writer(*this, std::move(entry)));
}

int ProgressLog::DurableIteration(int64_t job_id) const {
  absl::MutexLock lock(&mutex_);
  const auto entry = entries_.find(job_id);
  return entry == entries_.end() ? -1 : entry->second->durable;
}

void ProgressLog::Run() {
  while (true) {
    std::vector<Batch> batches = TakeBatches();
    if (batches.empty()) return;
    for (Batch& batch : batches) StoreBatch(std::move(batch));
  }
}

std::vector<ProgressLog::Batch> ProgressLog::TakeBatches() {
  absl::MutexLock lock(&mutex_);
  std::vector<Batch> batches;
  while (batches.empty()) {
    const auto has_work = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return closing_ || pending_ > 0;
    };
    mutex_.Await(absl::Condition(&has_work));
    if (closing_) return {};
    // Whoever waits in Flush is not kept waiting, but a store that was busy is given its pause.
    const auto hurry = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return closing_ || (flushing_ > 0 && !retrying_);
    };
    mutex_.AwaitWithTimeout(absl::Condition(&hurry), options_.flush_interval);
    retrying_ = false;
    for (auto& [id, entry] : entries_) {
      if (entry->waiting.empty()) continue;
      batches.push_back({entry, std::exchange(entry->waiting, {})});
    }
  }
  return batches;
}

void ProgressLog::StoreBatch(Batch batch) {
  const int64_t job_id = batch.entry->job_id;
  const absl::Status status = store_.AppendProgress(job_id, batch.points);
  if (status.ok()) {
    const auto steps =
        std::count_if(batch.points.begin(), batch.points.end(),
                      [](const ProgressPoint& point) { return point.iteration > 0; });
    metrics_.TrainingProgress(job_id, batch.entry->model, steps, batch.points.back().cost);
  }
  Settle(std::move(batch), status);
  if (status.ok()) notifier_.Notify(job_id);
}

void ProgressLog::Settle(Batch batch, const absl::Status& status) {
  Entry& entry = *batch.entry;
  if (absl::IsUnavailable(status)) {
    absl::MutexLock lock(&mutex_);
    if (entry.open && entry.retries < options_.max_retries) {
      ++entry.retries;
      retrying_ = true;
      entry.waiting.insert(entry.waiting.begin(), batch.points.begin(), batch.points.end());
      return;
    }
  }
  // Without the lock, for it may run callbacks; before Flush can return.
  if (!status.ok()) std::stop_source(entry.stop).request_stop();

  absl::MutexLock lock(&mutex_);
  const auto count = static_cast<int64_t>(batch.points.size());
  pending_ -= count;
  entry.unsettled -= count;
  if (status.ok()) {
    entry.durable = batch.points.back().iteration;
    entry.retries = 0;
  } else {
    entry.status = status;
    GiveUpWaiting(entry);  // what came meanwhile cannot follow a gap
  }
}

void ProgressLog::GiveUpWaiting(Entry& entry) {
  const auto count = static_cast<int64_t>(entry.waiting.size());
  pending_ -= count;
  entry.unsettled -= count;
  entry.waiting.clear();
}

}  // namespace mlp

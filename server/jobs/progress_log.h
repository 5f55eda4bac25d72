// Takes progress points off the trainers and makes them durable: trainer -> ProgressLog -> Store ->
// watchers. Watchers read the store alone, so they never see a point that is not durable.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>

#include "core/train/progress.h"
#include "mlp/v1/training.pb.h"
#include "server/jobs/job_notifier.h"
#include "server/store/store.h"
#include "server/telemetry/metrics.h"

namespace mlp {

struct ProgressLogOptions {
  // Points are collected this long and stored together: a commit costs a disk flush however few.
  absl::Duration flush_interval = absl::Milliseconds(100);
  // Points of all jobs that are not durable yet (64 bytes each). Trainers wait while there are as
  // many: nothing is dropped.
  int64_t max_pending_points = 100'000;
  // Flushes of one job in a row that may meet a busy store (UNAVAILABLE). One more, or any other
  // error, fails the job.
  int max_retries = 50;
};

// Thread-safe. One thread of its own stores the points of all jobs; the trainers take no part in
// I/O. Lock order: this mutex is a leaf; nothing is called with it held.
class ProgressLog {
  struct Entry;

 public:
  // The open end of one running job. OnProgress and Flush are for one thread at a time; the points
  // that are pending when it is destroyed are given up. Must not outlive the log.
  class Writer final : public ProgressObserver {
   public:
    ~Writer() override;
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    // Quick; waits only while the log is full and the job was not told to stop.
    void OnProgress(const ProgressPoint& point) override;
    // Returns when all points so far are durable, or with the error that keeps them from it.
    absl::Status Flush();
    // The same for the points up to `iteration` alone, which was taken. Thread-safe.
    absl::Status AwaitDurable(int iteration);
    // The newest point taken; iteration -1 before the first.
    const ProgressPoint& newest() const { return newest_; }

   private:
    friend class ProgressLog;
    Writer(ProgressLog& log, std::shared_ptr<Entry> entry);

    ProgressLog& log_;
    const std::shared_ptr<Entry> entry_;
    ProgressPoint newest_;
  };

  // All three outlive the log.
  ProgressLog(const ProgressLogOptions& options, Store& store, Metrics& metrics,
              JobNotifier& notifier);
  // Requires that all writers are gone.
  ~ProgressLog();
  ProgressLog(const ProgressLog&) = delete;
  ProgressLog& operator=(const ProgressLog&) = delete;

  // Opens the log of `job`, which is about to run, and goes on after `last_iteration` of an earlier
  // run; -1 where it begins anew. When its points cannot be stored, `stop` is requested and Flush
  // says why.
  std::unique_ptr<Writer> Open(const v1::TrainingJob& job, std::stop_source stop,
                               int last_iteration = -1);

  // The newest iteration that is durable of the current run and what it goes on from; -1 where
  // there is none, or no such job is open.
  int DurableIteration(int64_t job_id) const;

 private:
  struct Batch {
    std::shared_ptr<Entry> entry;
    std::vector<ProgressPoint> points;
  };

  void Run();
  // Waits for points and takes them; empty when the log closes.
  std::vector<Batch> TakeBatches();
  void StoreBatch(Batch batch);
  void Settle(Batch batch, const absl::Status& status);
  void GiveUpWaiting(Entry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const ProgressLogOptions options_;
  Store& store_;
  Metrics& metrics_;
  JobNotifier& notifier_;

  mutable absl::Mutex mutex_;
  absl::flat_hash_map<int64_t, std::shared_ptr<Entry>> entries_ ABSL_GUARDED_BY(mutex_);
  int64_t pending_ ABSL_GUARDED_BY(mutex_) =
      0;                                      // points of all entries, those in StoreBatch included
  int flushing_ ABSL_GUARDED_BY(mutex_) = 0;  // callers in Flush
  bool retrying_ ABSL_GUARDED_BY(mutex_) = false;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;  // last: started when all else is there
};

}  // namespace mlp

// Runs training jobs: takes them from the queue in the order of their creation, a few at a time,
// and carries their states through the store.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <absl/base/thread_annotations.h>
#include <absl/container/btree_set.h>
#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>

#include "core/base/clock.h"
#include "core/base/thread_pool.h"
#include "core/train/trainer.h"
#include "mlp/v1/model.pb.h"
#include "mlp/v1/training.pb.h"
#include "server/jobs/job_notifier.h"
#include "server/jobs/job_watch.h"
#include "server/jobs/progress_log.h"
#include "server/jobs/runner.h"
#include "server/store/store.h"
#include "server/telemetry/metrics.h"

namespace mlp {

// What may change while the scheduler runs.
struct JobLimits {
  // Jobs that run at the same time, at least 1, each with its own threads.
  int max_running_jobs = 2;
  // Jobs that may wait; more are refused with RESOURCE_EXHAUSTED.
  int max_queued_jobs = 1000;
  // Time from one checkpoint of a running job to the next.
  absl::Duration checkpoint_interval = absl::Seconds(30);
};

struct JobSchedulerOptions {
  JobLimits limits;
  // Threads of each running job, at least 1.
  int training_threads = 1;
  // Train at SCHED_IDLE, so that training takes only the time that Predict leaves.
  bool idle_priority = true;
  // A job FAILED when the server ended this often in a row while it ran, without a clean stop and
  // without a new checkpoint of it: it may be what ends the server.
  int max_crashes = 3;
  // Watchers at the same time, over all jobs; more are refused with RESOURCE_EXHAUSTED.
  int max_watchers = 256;
  // How long to wait before a store that could not store a job's state is tried again.
  absl::Duration store_retry_delay = absl::Seconds(1);
  ProgressLogOptions progress;
  // Called on the runner's thread after a version was published; may be empty.
  std::function<void(const v1::ModelVersion&)> on_published;
  // Run no job before Resume is called.
  bool paused = false;
  TrainFunction train = Train;
};

// Thread-safe. The store is the truth about every job; here are only the ids of those that wait and
// the controls of those that run. A move of a job's state is a compare-and-set in the store, so
// that a cancel and a start that meet cannot both win.
//
// Threads: one runner for each job that may run, or could once (with a pool of training_threads,
// and for each training a thread and its RunRecorder's), and the progress log's. Lock order: mutex_
// is a leaf; the store is called without.
class JobScheduler {
 public:
  // Takes up the jobs that an earlier server left: those it left RUNNING are queued again, to go on
  // from their newest checkpoint, or FAILED after max_crashes. `store`, `metrics` and `clock`
  // outlive the scheduler. The store's errors.
  static absl::StatusOr<std::unique_ptr<JobScheduler>> Start(const JobSchedulerOptions& options,
                                                             Store& store, Metrics& metrics,
                                                             const Clock& clock);

  // Stops as by Stop. Requires that every JobWatch is gone.
  ~JobScheduler();
  JobScheduler(const JobScheduler&) = delete;
  JobScheduler& operator=(const JobScheduler&) = delete;

  // Begins to run jobs, where the options said paused. Call at most once.
  void Resume();

  // These hold from now on: for jobs that are submitted or started later. Running jobs over a
  // smaller max_running_jobs go on to their ends.
  void SetLimits(const JobLimits& limits);

  // Queues `job` (model, dataset, dataset_sha256 and config are read, and checked by the caller);
  // durable on return. Store::CreateJob's errors; UNAVAILABLE once stopped.
  absl::StatusOr<v1::TrainingJob> Submit(const v1::TrainingJob& job, absl::string_view request_id);

  // A queued job is CANCELLED on return. A running one is asked to stop and returned RUNNING: it
  // ends within one evaluation of the cost. An ended one is returned as it is. NOT_FOUND; the
  // store's errors.
  absl::StatusOr<v1::TrainingJob> Cancel(int64_t id);

  // Store::DeleteJob; ends the job's watches.
  absl::Status Delete(int64_t id);

  // A cursor from `from_iteration` on. NOT_FOUND; RESOURCE_EXHAUSTED: max_watchers; UNAVAILABLE
  // once stopped.
  absl::StatusOr<std::unique_ptr<JobWatch>> Watch(int64_t id, int from_iteration);

  // Ends all watches, asks the running jobs to stop and waits for it. They leave a checkpoint, go
  // back to QUEUED in the store and are resumed after the next start. Idempotent.
  void Stop();

 private:
  JobScheduler(const JobSchedulerOptions& options, Store& store, Metrics& metrics,
               const Clock& clock);

  absl::Status TakeUpUnfinished();
  // Ends `job`, which an earlier server left RUNNING, or gives it back to the queue.
  void TakeUp(v1::TrainingJob& job);
  // Makes runners up to `count` of them; fewer where the system grants no more threads.
  void AddRunners(int count) ABSL_EXCLUSIVE_LOCKS_REQUIRED(stop_mutex_);
  void RunLoop(ThreadPool& pool);
  // The oldest waiting job, with its control registered; waits for one. None once stopped.
  std::optional<int64_t> NextJob(std::shared_ptr<JobControl>& control);
  // The job as RUNNING in the store; none where it is not (or no longer) there to be run.
  std::optional<v1::TrainingJob> MarkRunning(int64_t id);
  // Writes why a job went back to the queue into its log: its message does not last.
  void LogRequeue(const v1::TrainingJob& job);
  // Makes the end of a run durable, trying again while the store is busy or full.
  void StoreEnd(RunEnd end);
  absl::Status Publish(const RunEnd& end);
  // Unless it runs already: a repeated request may give an id that a runner has just taken.
  void Enqueue(int64_t id);
  std::shared_ptr<JobControl> FindRunning(int64_t id);
  bool IsStopping();
  // False once the scheduler stops.
  bool PauseBeforeRetry();

  const JobSchedulerOptions options_;
  Store& store_;
  Metrics& metrics_;
  const Clock& clock_;
  JobNotifier notifier_;
  ProgressLog log_;
  JobRunner runner_;

  absl::Mutex mutex_;
  JobLimits limits_ ABSL_GUARDED_BY(mutex_);
  absl::btree_set<int64_t> queued_ ABSL_GUARDED_BY(mutex_);  // ids rise, so the first is the oldest
  absl::flat_hash_map<int64_t, std::shared_ptr<JobControl>> running_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  // One caller of Resume, SetLimits or Stop at a time; taken before mutex_ and the runner's.
  absl::Mutex stop_mutex_;
  bool resumed_ ABSL_GUARDED_BY(stop_mutex_) = false;
  // One a runner.
  std::vector<std::unique_ptr<ThreadPool>> pools_ ABSL_GUARDED_BY(stop_mutex_);
  std::vector<std::thread> runners_ ABSL_GUARDED_BY(stop_mutex_);
};

}  // namespace mlp

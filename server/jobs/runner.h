// Runs one job: Dataset, initial model, checkpoint -> Train, or RunStudy -> artifact. What it
// returns is stored by the scheduler.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include <absl/base/thread_annotations.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>

#include "core/base/clock.h"
#include "core/base/thread_pool.h"
#include "core/train/trainer.h"
#include "mlp/v1/training.pb.h"
#include "server/jobs/progress_log.h"
#include "server/store/store.h"

namespace mlp {

// Train of core/train/trainer.h, or a test's stand-in for it.
using TrainFunction = std::function<absl::StatusOr<TrainingOutcome>(
    const Dataset&, const TrainingConfig&, const TrainingContext&)>;

struct JobRunnerOptions {
  TrainFunction train;
  // Train at SCHED_IDLE.
  bool idle_priority = true;
  // Time from one checkpoint to the next, until SetCheckpointInterval.
  absl::Duration checkpoint_interval = absl::Seconds(30);
};

// How a running job is asked to stop. Thread-safe.
class JobControl {
 public:
  // Somebody wants the job CANCELLED.
  void Cancel() {
    cancelled_.store(true);
    stop_.request_stop();
  }
  // The server stops: the job is to be trained again later.
  void Interrupt() { stop_.request_stop(); }

  bool cancelled() const { return cancelled_.load(); }
  std::stop_source stop() const { return stop_; }

 private:
  std::atomic<bool> cancelled_ = false;
  std::stop_source stop_;
};

// How a run ended. `job` is the record to store: ended, or QUEUED again where it was interrupted.
struct RunEnd {
  v1::TrainingJob job;
  // What to publish in one go with `job`: set where the job SUCCEEDED, unless it is a study that
  // publishes nothing.
  std::optional<NewVersion> version;
};

// Thread-safe; one JobRunner serves all jobs.
class JobRunner {
 public:
  // All outlive the runner.
  JobRunner(JobRunnerOptions options, Store& store, ProgressLog& log, const Clock& clock)
      : options_(std::move(options)),
        store_(store),
        log_(log),
        clock_(clock),
        checkpoint_interval_(options_.checkpoint_interval) {}

  // For runs that begin from now on.
  void SetCheckpointInterval(absl::Duration interval) {
    absl::MutexLock lock(&mutex_);
    checkpoint_interval_ = interval;
  }

  // Trains `job`, which is RUNNING in the store, on `pool` and a thread made for it. Every failure,
  // exceptions included, is an end of the job: FAILED with the reason as its message. A job that
  // has finished when it is asked to stop has SUCCEEDED. A job that was started before goes on from
  // its newest checkpoint that can be read. Points, checkpoints, kept weights and log are durable
  // on return.
  RunEnd Run(const v1::TrainingJob& job, ThreadPool& pool, const JobControl& control);

 private:
  struct Attempt;

  absl::Duration CheckpointInterval() {
    absl::MutexLock lock(&mutex_);
    return checkpoint_interval_;
  }
  absl::Status TrainInto(Attempt& attempt, ThreadPool& pool, const JobControl& control);
  absl::Status LoadDataset(Attempt& attempt);
  // Trains the job's network, or the networks of its study.
  absl::Status RunTraining(Attempt& attempt, const TrainingContext& context);
  // Whether what was trained is good enough to be published.
  void AskGate(Attempt& attempt, ThreadPool& pool);
  absl::Status LoadInitialModel(Attempt& attempt);
  // Opens progress and recorder, after the checkpoint that the run goes on from.
  void BeginRecording(const JobControl& control, Attempt& attempt);
  // Fills the job's result and, where training succeeded (`status` and outcome), the version.
  absl::Status Finish(const absl::Status& status, Attempt& attempt);
  static v1::TrainingConfig ConfigOfBestRun(const Attempt& attempt);
  static v1::TrainingJob TrainedJob(const Attempt& attempt);
  // Stores the best weights of a training that ended without a version. Returns what its message
  // says of that; nothing where no iteration was better than the start.
  std::string KeepWeights(Attempt& attempt);
  // `message`, and what its figures are worth where the job started from a model.
  static std::string WithSeenRows(const std::string& message, const Attempt& attempt);
  void Conclude(const absl::Status& status, const JobControl& control, Attempt& attempt);
  void ConcludeStudy(const JobControl& control, Attempt& attempt);
  // Ends a job that was stopped after `done` (`iteration 7`): CANCELLED, or QUEUED again.
  void ConcludeStopped(absl::string_view done, const JobControl& control, v1::TrainingJob& job);

  const JobRunnerOptions options_;
  Store& store_;
  ProgressLog& log_;
  const Clock& clock_;

  absl::Mutex mutex_;
  absl::Duration checkpoint_interval_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mlp

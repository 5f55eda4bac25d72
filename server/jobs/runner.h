// Runs one job: Dataset -> Train -> artifact. What it returns is stored by the scheduler.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <stop_token>
#include <utility>

#include <absl/status/statusor.h>

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
  // Set where the job SUCCEEDED: what to publish in one go with `job`.
  std::optional<NewVersion> version;
};

// Thread-safe; one JobRunner serves all jobs.
class JobRunner {
 public:
  // All outlive the runner. With `idle_priority`, training runs at SCHED_IDLE.
  JobRunner(TrainFunction train, bool idle_priority, Store& store, ProgressLog& log,
            const Clock& clock)
      : train_(std::move(train)),
        idle_priority_(idle_priority),
        store_(store),
        log_(log),
        clock_(clock) {}

  // Trains `job`, which is RUNNING in the store, on `pool` and a thread made for it. Every failure,
  // exceptions included, is an end of the job: FAILED with the reason as its message. A job that
  // has finished when it is asked to stop has SUCCEEDED. Points are durable on return.
  RunEnd Run(const v1::TrainingJob& job, ThreadPool& pool, const JobControl& control);

 private:
  struct Attempt;

  absl::Status TrainInto(Attempt& attempt, ThreadPool& pool, const JobControl& control);
  absl::Status LoadDataset(Attempt& attempt);
  // Fills the job's result and, where training succeeded (`status` and outcome), the version.
  absl::Status Finish(const absl::Status& status, Attempt& attempt);
  absl::StatusOr<NewVersion> MakeVersion(Attempt& attempt);
  void Conclude(const absl::Status& status, const JobControl& control, Attempt& attempt);

  const TrainFunction train_;
  const bool idle_priority_;
  Store& store_;
  ProgressLog& log_;
  const Clock& clock_;
};

}  // namespace mlp

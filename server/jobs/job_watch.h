// One watcher of one job: a cursor over its iterations that replays what is stored and then
// follows.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "core/train/progress.h"
#include "mlp/v1/training.pb.h"
#include "server/jobs/job_notifier.h"
#include "server/jobs/progress_log.h"
#include "server/store/store.h"

namespace mlp {

// Thread-compatible. Gives every iteration from the wanted one on exactly once, in order, then the
// ended job, once the version that it published is served. Holds no lock between calls and none
// while it reads the store, so a slow watcher slows nobody. Must not outlive its JobScheduler.
//
// Of a job that is trained again after a restart only the current run's points are shown: the run
// before may have come further, but what it stored is about to be replaced.
class JobWatch {
 public:
  struct Batch {
    std::vector<ProgressPoint> points;
    std::optional<v1::TrainingJob> ended;  // the last batch: there are no more points
  };

  // `job` as it is now. `is_at_work` says whether a runner is still busy with it: with what follows
  // its end, too. The subscription is notified when it no longer is.
  JobWatch(v1::TrainingJob job, int from_iteration, Store& store, const ProgressLog& log,
           std::function<bool()> is_at_work,
           std::unique_ptr<JobNotifier::Subscription> subscription)
      : job_(std::move(job)),
        next_(from_iteration),
        store_(store),
        log_(log),
        is_at_work_(std::move(is_at_work)),
        subscription_(std::move(subscription)) {}

  // The job as it was when the watch began.
  const v1::TrainingJob& job() const { return job_; }

  // The next points, or the end. An empty batch where `patience` has passed without either.
  // UNAVAILABLE, with a retry delay and the iteration to watch on from, where the server stops,
  // NOT_FOUND where the job was deleted, or the store's errors.
  absl::StatusOr<Batch> Next(absl::Duration patience);

 private:
  // The points of `job` that may be shown and come next, at most a bounded number of them.
  absl::StatusOr<std::vector<ProgressPoint>> Read(const v1::TrainingJob& job);

  const v1::TrainingJob job_;
  int next_;  // the first iteration not given yet
  Store& store_;
  const ProgressLog& log_;
  const std::function<bool()> is_at_work_;
  const std::unique_ptr<JobNotifier::Subscription> subscription_;
};

}  // namespace mlp

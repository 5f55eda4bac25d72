#include "server/jobs/job_watch.h"

#include <algorithm>
#include <string>

#include <absl/strings/str_cat.h>

#include "core/base/clock.h"
#include "core/base/status_macros.h"
#include "server/end_of_call.h"
#include "server/jobs/job_state.h"
#include "server/retry_delay.h"

namespace mlp {
namespace {

constexpr int kBatchPoints = 256;

// The newest iteration of an ended job; -1 where it stored nothing in its last run. A study counts
// its runs, but the result of a search has the iterations of the network that it found.
int NewestOf(const v1::TrainingJob& job) {
  if (!job.has_result()) return -1;
  return std::max(job.result().iterations(), job.result().runs_size());
}

}  // namespace

absl::StatusOr<JobWatch::Batch> JobWatch::Next(absl::Duration patience) {
  const Clock& clock = Clock::System();
  const absl::Duration deadline = clock.Elapsed() + patience;
  while (true) {
    const uint64_t seen = subscription_->Version();
    MLP_ASSIGN_OR_RETURN(v1::TrainingJob job, store_.GetJob(job_.id()));
    Batch batch;
    MLP_ASSIGN_OR_RETURN(batch.points, Read(job));
    if (!batch.points.empty()) {
      next_ = batch.points.back().iteration + 1;
      return batch;
    }
    if (IsEnded(job.state()) && !is_at_work_()) {
      batch.ended = std::move(job);
      return batch;
    }
    const absl::StatusOr<bool> changed = subscription_->Wait(seen, deadline - clock.Elapsed());
    if (!changed.ok()) {
      const std::string resume =
          absl::StrCat(": watch job ", job_.id(), " on from iteration ", next_);
      return WithRetryDelay(
          absl::Status(changed.status().code(), absl::StrCat(changed.status().message(), resume)),
          kRestartDelay);
    }
    if (!*changed) return batch;
  }
}

absl::StatusOr<std::vector<ProgressPoint>> JobWatch::Read(const v1::TrainingJob& job) {
  // A job that is read as running may have ended meanwhile; then its log is closed and nothing is
  // shown before the next look.
  const int newest = IsEnded(job.state()) ? NewestOf(job) : log_.DurableIteration(job.id());
  if (next_ > newest) return std::vector<ProgressPoint>();
  MLP_ASSIGN_OR_RETURN(std::vector<ProgressPoint> points,
                       store_.ReadProgress(job.id(), next_, kBatchPoints));
  while (!points.empty() && points.back().iteration > newest) points.pop_back();
  return points;
}

}  // namespace mlp

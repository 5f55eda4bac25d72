// Jobs in SQLite: records and logs in `jobs`, progress points in `progress`.
#pragma once

#include <cstdint>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/types/span.h>

#include "core/base/clock.h"
#include "core/train/progress.h"
#include "server/store/sqlite_database.h"
#include "server/store/sqlite_quotas.h"
#include "server/store/store.h"

namespace mlp {

// Inside a transaction of the caller's: Store::UpdateJob. Where the job ends, its checkpoints are
// left to PurgeCheckpoints.
absl::Status ReplaceJob(SqliteConnection& connection, const v1::TrainingJob& job,
                        v1::JobState expected);

// Inside a transaction of the caller's: sets `crashes` of the job back to 0. NOT_FOUND.
absl::Status ForgetCrashes(SqliteConnection& connection, int64_t id);

// The job part of Store: see there. Thread-safe. All arguments outlive it.
class SqliteJobs {
 public:
  SqliteJobs(SqliteDatabase& database, const SqliteQuotas& quotas, const Clock& clock)
      : database_(database), quotas_(quotas), clock_(clock) {}

  absl::StatusOr<v1::TrainingJob> Create(const v1::TrainingJob& job, absl::string_view request_id,
                                         int max_queued);
  absl::StatusOr<v1::TrainingJob> Get(int64_t id);
  absl::StatusOr<v1::TrainingJob> FindByRequest(absl::string_view request_id);
  absl::StatusOr<Page<v1::TrainingJob>> List(const PageRequest& page, const JobFilter& filter);
  absl::Status Update(const v1::TrainingJob& job, v1::JobState expected);
  absl::Status Delete(int64_t id);
  absl::StatusOr<std::vector<v1::TrainingJob>> Unfinished();
  absl::StatusOr<std::vector<int64_t>> Count();

  // sqlite_job_log.cc
  absl::Status AppendLog(int64_t id, const v1::JobLogLine& line);

  // sqlite_progress.cc
  absl::Status AppendProgress(int64_t job_id, absl::Span<const ProgressPoint> points);
  absl::StatusOr<std::vector<ProgressPoint>> ReadProgress(int64_t job_id, int from, int limit);

 private:
  SqliteDatabase& database_;
  const SqliteQuotas& quotas_;
  const Clock& clock_;
};

}  // namespace mlp

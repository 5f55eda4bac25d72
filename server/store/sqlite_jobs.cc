#include "server/store/sqlite_jobs.h"

#include <optional>
#include <string>
#include <utility>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "server/store/job_reference.h"
#include "server/store/paging.h"
#include "server/store/record.h"
#include "server/store/sqlite_checkpoints.h"
#include "server/store/sqlite_datasets.h"
#include "server/store/sqlite_models.h"

namespace mlp {
namespace {

// A job's progress is that of its newest point, which AppendProgress keeps.
constexpr char kSelectJobs[] =
    "SELECT jobs.id, jobs.record, progress.record, jobs.log FROM jobs "
    "LEFT JOIN progress ON progress.job_id = jobs.id "
    "AND progress.iteration = jobs.newest_iteration ";

std::string Owner(int64_t id) { return absl::StrCat("job ", id); }

absl::Status NotFound(int64_t id) {
  return absl::NotFoundError(absl::StrCat("job ", id, ": not found"));
}

std::string StateName(int64_t state) { return v1::JobState_Name(static_cast<v1::JobState>(state)); }

bool IsUnfinished(int64_t state) {
  return state == v1::JOB_STATE_QUEUED || state == v1::JOB_STATE_RUNNING;
}

// What goes into the record: progress has a table of its own, the log a column.
std::string JobRecord(v1::TrainingJob job) {
  job.clear_progress();
  job.clear_log();
  return EncodeRecord(job);
}

// Reads a row of kSelectJobs.
absl::StatusOr<v1::TrainingJob> ReadJob(const SqliteStatement& row) {
  v1::TrainingJob job;
  const std::string owner = Owner(row.Int(0));
  MLP_RETURN_IF_ERROR(DecodeRecord(row.Bytes(1), owner, job));
  if (!row.IsNull(2)) {
    MLP_RETURN_IF_ERROR(DecodeRecord(row.Bytes(2), owner, *job.mutable_progress()));
  }
  if (!row.IsNull(3)) {
    v1::TrainingJob log;
    MLP_RETURN_IF_ERROR(DecodeRecord(row.Bytes(3), owner, log));
    job.mutable_log()->Swap(log.mutable_log());
  }
  return job;
}

absl::StatusOr<std::vector<v1::TrainingJob>> ReadJobs(SqliteStatement select) {
  std::vector<v1::TrainingJob> jobs;
  while (true) {
    MLP_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return jobs;
    MLP_ASSIGN_OR_RETURN(v1::TrainingJob job, ReadJob(select));
    jobs.push_back(std::move(job));
  }
}

absl::StatusOr<v1::TrainingJob> FindJob(SqliteConnection& connection, int64_t id) {
  SqliteStatement select = connection.Prepare(absl::StrCat(kSelectJobs, "WHERE jobs.id = ?1"));
  select.Bind(id);
  MLP_ASSIGN_OR_RETURN(const bool found, select.Step());
  if (!found) return NotFound(id);
  return ReadJob(select);
}

absl::StatusOr<int64_t> StoredState(SqliteConnection& connection, int64_t id) {
  SqliteStatement select = connection.Prepare("SELECT state FROM jobs WHERE id = ?1");
  select.Bind(id);
  MLP_ASSIGN_OR_RETURN(const bool found, select.Step());
  if (!found) return NotFound(id);
  return select.Int(0);
}

absl::StatusOr<std::optional<v1::TrainingJob>> FindWithRequestId(SqliteConnection& connection,
                                                                 absl::string_view request_id) {
  if (request_id.empty()) return std::nullopt;
  SqliteStatement select =
      connection.Prepare(absl::StrCat(kSelectJobs, "WHERE jobs.request_id = ?1"));
  select.Bind(request_id);
  MLP_ASSIGN_OR_RETURN(const bool found, select.Step());
  if (!found) return std::nullopt;
  MLP_ASSIGN_OR_RETURN(v1::TrainingJob job, ReadJob(select));
  return job;
}

absl::Status CheckQueue(SqliteConnection& connection, int max_queued) {
  SqliteStatement count = connection.Prepare("SELECT count(*) FROM jobs WHERE state = ?1");
  count.Bind(v1::JOB_STATE_QUEUED);
  MLP_RETURN_IF_ERROR(count.Step().status());
  if (count.Int(0) < max_queued) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("jobs: ", count.Int(0), " of at most ", max_queued, " are queued already"));
}

absl::Status CheckInitialModelIsThere(SqliteConnection& connection, absl::string_view reference) {
  MLP_ASSIGN_OR_RETURN(const std::optional<int64_t> job_id,
                       ParseJobReference("initial_model", reference));
  return job_id ? CheckWeightsAreKept(connection, *job_id)
                : CheckVersionIsThere(connection, reference);
}

absl::Status CheckNoJobStartsFromJob(SqliteConnection& connection, int64_t id) {
  SqliteStatement select = connection.Prepare(
      "SELECT id FROM jobs WHERE state IN (?1, ?2) AND initial_model = ?3 ORDER BY id LIMIT 1");
  const std::string reference = JobReference(id);
  select.Bind(v1::JOB_STATE_QUEUED, v1::JOB_STATE_RUNNING, reference);
  MLP_ASSIGN_OR_RETURN(const bool needed, select.Step());
  if (!needed) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      Owner(id), ": job ", select.Int(0), " starts from its weights and has not ended yet"));
}

// The record needs the id that the row gets, so the row comes first. `job` gets its id.
absl::Status InsertJob(SqliteConnection& connection, absl::string_view request_id,
                       v1::TrainingJob& job) {
  SqliteStatement insert = connection.Prepare(
      "INSERT INTO jobs (request_id, model, dataset, state, initial_model, record) "
      "VALUES (nullif(?1, ''), ?2, ?3, ?4, nullif(?5, ''), x'')");
  insert.Bind(request_id, job.model(), job.dataset(), job.state(), job.config().initial_model());
  MLP_RETURN_IF_ERROR(insert.Run());
  job.set_id(connection.last_insert_id());
  const std::string record = JobRecord(job);
  SqliteStatement update = connection.Prepare("UPDATE jobs SET record = ?1 WHERE id = ?2");
  update.Bind(SqliteBlob{record}, job.id());
  return update.Run();
}

}  // namespace

absl::Status ReplaceJob(SqliteConnection& connection, const v1::TrainingJob& job,
                        v1::JobState expected) {
  MLP_ASSIGN_OR_RETURN(const int64_t state, StoredState(connection, job.id()));
  if (state != expected) {
    return absl::FailedPreconditionError(absl::StrCat(
        Owner(job.id()), ": expected state ", StateName(expected), ", got ", StateName(state)));
  }
  const std::string record = JobRecord(job);
  SqliteStatement update = connection.Prepare(
      "UPDATE jobs SET model = ?1, dataset = ?2, state = ?3, record = ?4 WHERE id = ?5");
  update.Bind(job.model(), job.dataset(), job.state(), SqliteBlob{record}, job.id());
  MLP_RETURN_IF_ERROR(update.Run());
  if (IsUnfinished(job.state())) return absl::OkStatus();
  return RetireCheckpoints(connection, job.id(),
                           /*keep_weights=*/job.state() != v1::JOB_STATE_SUCCEEDED);
}

absl::Status ForgetCrashes(SqliteConnection& connection, int64_t id) {
  MLP_ASSIGN_OR_RETURN(v1::TrainingJob job, FindJob(connection, id));
  if (job.crashes() == 0) return absl::OkStatus();
  job.clear_crashes();
  const std::string record = JobRecord(std::move(job));
  SqliteStatement update = connection.Prepare("UPDATE jobs SET record = ?1 WHERE id = ?2");
  update.Bind(SqliteBlob{record}, id);
  return update.Run();
}

absl::StatusOr<v1::TrainingJob> SqliteJobs::Create(const v1::TrainingJob& job,
                                                   absl::string_view request_id, int max_queued) {
  v1::TrainingJob created = job;
  created.clear_progress();
  created.clear_log();
  created.set_state(v1::JOB_STATE_QUEUED);
  if (!created.has_create_time()) *created.mutable_create_time() = ToTimestamp(clock_.Now());
  return database_.Write([&](SqliteConnection& connection) -> absl::StatusOr<v1::TrainingJob> {
    MLP_ASSIGN_OR_RETURN(std::optional<v1::TrainingJob> earlier,
                         FindWithRequestId(connection, request_id));
    if (earlier) return *std::move(earlier);
    MLP_ASSIGN_OR_RETURN(const StoredDataset dataset, FindDataset(connection, job.dataset()));
    if (created.dataset_sha256().empty()) created.set_dataset_sha256(dataset.record.sha256());
    if (!created.config().initial_model().empty()) {
      MLP_RETURN_IF_ERROR(CheckInitialModelIsThere(connection, created.config().initial_model()));
    }
    MLP_RETURN_IF_ERROR(CheckQueue(connection, max_queued));
    MLP_RETURN_IF_ERROR(quotas_.CheckJobs(connection));
    MLP_RETURN_IF_ERROR(quotas_.CheckVersions(connection, created.model()));
    MLP_RETURN_IF_ERROR(InsertJob(connection, request_id, created));
    return created;
  });
}

absl::StatusOr<v1::TrainingJob> SqliteJobs::Get(int64_t id) {
  return database_.Read([&](SqliteConnection& connection) { return FindJob(connection, id); });
}

absl::StatusOr<v1::TrainingJob> SqliteJobs::FindByRequest(absl::string_view request_id) {
  return database_.Read([&](SqliteConnection& connection) -> absl::StatusOr<v1::TrainingJob> {
    MLP_ASSIGN_OR_RETURN(std::optional<v1::TrainingJob> job,
                         FindWithRequestId(connection, request_id));
    if (!job) return absl::NotFoundError("no job was created with this request id");
    return *std::move(job);
  });
}

absl::StatusOr<Page<v1::TrainingJob>> SqliteJobs::List(const PageRequest& page,
                                                       const JobFilter& filter) {
  MLP_RETURN_IF_ERROR(CheckPageSize(page));
  MLP_ASSIGN_OR_RETURN(const int64_t bound, NumberBound(page));
  const bool any_state = filter.state == v1::JOB_STATE_UNSPECIFIED;
  // A condition that is not wanted is left out, so that the others can use their index; the
  // parameters stay the same.
  const std::string sql = absl::StrCat(
      kSelectJobs, "WHERE jobs.id < ?1 ",
      filter.model.empty() ? "AND ?2 = '' " : "AND jobs.model = ?2 ",
      any_state ? "AND ?3 = 0 " : "AND jobs.state = ?3 ", "ORDER BY jobs.id DESC LIMIT ?4");
  return database_.Read([&](SqliteConnection& connection) -> absl::StatusOr<Page<v1::TrainingJob>> {
    Page<v1::TrainingJob> jobs;
    SqliteStatement select = connection.Prepare(sql);
    select.Bind(bound, filter.model, filter.state, int64_t{page.size} + 1);
    MLP_ASSIGN_OR_RETURN(jobs.items, ReadJobs(std::move(select)));
    FinishPage(
        page, [](const v1::TrainingJob& job) { return absl::StrCat(job.id()); }, jobs);
    return jobs;
  });
}

absl::Status SqliteJobs::Update(const v1::TrainingJob& job, v1::JobState expected) {
  MLP_RETURN_IF_ERROR(database_.Write(
      [&](SqliteConnection& connection) { return ReplaceJob(connection, job, expected); }));
  // The job is as it should be. What cannot be cleared now, on a full disk for one, is cleared
  // later.
  if (!IsUnfinished(job.state())) PurgeCheckpoints(database_).IgnoreError();
  return absl::OkStatus();
}

absl::Status SqliteJobs::Delete(int64_t id) {
  const absl::Status status = database_.Write([&](SqliteConnection& connection) -> absl::Status {
    MLP_ASSIGN_OR_RETURN(const int64_t state, StoredState(connection, id));
    if (IsUnfinished(state)) {
      return absl::FailedPreconditionError(absl::StrCat(
          Owner(id), ": expected a job that has ended, got one in state ", StateName(state)));
    }
    MLP_RETURN_IF_ERROR(CheckNoJobStartsFromJob(connection, id));
    SqliteStatement remove = connection.Prepare("DELETE FROM jobs WHERE id = ?1");
    remove.Bind(id);
    return remove.Run();
  });
  // As in Update: of weights that it kept.
  if (status.ok()) PurgeCheckpoints(database_).IgnoreError();
  return status;
}

absl::StatusOr<std::vector<v1::TrainingJob>> SqliteJobs::Unfinished() {
  return database_.Read([&](SqliteConnection& connection) {
    SqliteStatement select = connection.Prepare(
        absl::StrCat(kSelectJobs, "WHERE jobs.state IN (?1, ?2) ORDER BY jobs.id"));
    select.Bind(v1::JOB_STATE_QUEUED, v1::JOB_STATE_RUNNING);
    return ReadJobs(std::move(select));
  });
}

absl::StatusOr<std::vector<int64_t>> SqliteJobs::Count() {
  return database_.Read([&](SqliteConnection& connection) -> absl::StatusOr<std::vector<int64_t>> {
    std::vector<int64_t> counts(v1::JobState_ARRAYSIZE, 0);
    SqliteStatement select = connection.Prepare("SELECT state, count(*) FROM jobs GROUP BY state");
    while (true) {
      MLP_ASSIGN_OR_RETURN(const bool row, select.Step());
      if (!row) return counts;
      const int64_t state = select.Int(0);
      if (v1::JobState_IsValid(static_cast<int>(state))) {
        counts[static_cast<size_t>(state)] = select.Int(1);
      }
    }
  });
}

}  // namespace mlp

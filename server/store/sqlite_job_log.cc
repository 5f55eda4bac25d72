// The log of a job: a few lines for people, in one column of the job's row.
#include <string>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "server/store/record.h"
#include "server/store/sqlite_jobs.h"

namespace mlp {

absl::Status SqliteJobs::AppendLog(int64_t id, const v1::JobLogLine& line) {
  return database_.Write([&](SqliteConnection& connection) -> absl::Status {
    v1::TrainingJob job;  // of which only the log is used
    {
      SqliteStatement select = connection.Prepare("SELECT log FROM jobs WHERE id = ?1");
      select.Bind(id);
      MLP_ASSIGN_OR_RETURN(const bool found, select.Step());
      if (!found) return absl::NotFoundError(absl::StrCat("job ", id, ": not found"));
      if (!select.IsNull(0)) {
        MLP_RETURN_IF_ERROR(DecodeRecord(select.Bytes(0), absl::StrCat("job ", id), job));
      }
    }
    *job.add_log() = line;
    if (const int more = job.log_size() - kMaxJobLogLines; more > 0) {
      job.mutable_log()->DeleteSubrange(0, more);
    }
    const std::string record = EncodeRecord(job);
    SqliteStatement update = connection.Prepare("UPDATE jobs SET log = ?1 WHERE id = ?2");
    update.Bind(SqliteBlob{record}, id);
    return update.Run();
  });
}

}  // namespace mlp

// Progress points of jobs. One row a point, read back in order from any iteration.
#include <string>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "server/conversion/evaluation_conversion.h"
#include "server/store/record.h"
#include "server/store/sqlite_jobs.h"

namespace mlp {

absl::Status SqliteJobs::AppendProgress(int64_t job_id, absl::Span<const ProgressPoint> points) {
  if (points.empty()) return absl::OkStatus();
  return database_.Write([&](SqliteConnection& connection) -> absl::Status {
    // The last point is the newest one even where its iteration is not the highest: a job that a
    // restart made begin anew has points of its earlier run left, until it comes by there again.
    SqliteStatement newest =
        connection.Prepare("UPDATE jobs SET newest_iteration = ?1 WHERE id = ?2");
    newest.Bind(points.back().iteration, job_id);
    MLP_RETURN_IF_ERROR(newest.Run());
    if (connection.changes() == 0) {
      return absl::NotFoundError(absl::StrCat("job ", job_id, ": not found"));
    }
    for (const ProgressPoint& point : points) {
      const std::string record = EncodeRecord(ProgressPointToApi(point));
      SqliteStatement insert = connection.Prepare(
          "INSERT OR REPLACE INTO progress (job_id, iteration, record) VALUES (?1, ?2, ?3)");
      insert.Bind(job_id, point.iteration, SqliteBlob{record});
      MLP_RETURN_IF_ERROR(insert.Run());
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<ProgressPoint>> SqliteJobs::ReadProgress(int64_t job_id, int from,
                                                                    int limit) {
  using Points = std::vector<ProgressPoint>;
  // SQLite takes a negative limit for none.
  if (limit < 1) return Points();
  return database_.Read([&](SqliteConnection& connection) -> absl::StatusOr<Points> {
    Points points;
    SqliteStatement select = connection.Prepare(
        "SELECT record FROM progress WHERE job_id = ?1 AND iteration >= ?2 "
        "ORDER BY iteration LIMIT ?3");
    select.Bind(job_id, from, limit);
    v1::ProgressPoint record;
    while (true) {
      MLP_ASSIGN_OR_RETURN(const bool row, select.Step());
      if (!row) return points;
      MLP_RETURN_IF_ERROR(DecodeRecord(select.Bytes(0), absl::StrCat("job ", job_id), record));
      points.push_back(ProgressPointFromApi(record));
    }
  });
}

}  // namespace mlp

#include "server/store/sqlite_quotas.h"

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"

namespace mlp {
namespace {

absl::Status Check(absl::string_view what, int64_t stored, int64_t quota) {
  if (quota == 0 || stored < quota) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat(what, ": ", stored, " of at most ", quota, " are stored: delete some first"));
}

}  // namespace

void SqliteQuotas::Set(const StoreQuotas& quotas) {
  absl::MutexLock lock(&mutex_);
  quotas_ = quotas;
}

StoreQuotas SqliteQuotas::Get() const {
  absl::MutexLock lock(&mutex_);
  return quotas_;
}

absl::Status SqliteQuotas::CheckDatasets(SqliteConnection& connection) const {
  const int64_t quota = Get().datasets;
  if (quota == 0) return absl::OkStatus();
  MLP_ASSIGN_OR_RETURN(const int64_t stored,
                       connection.QueryInt("SELECT count(*) FROM datasets WHERE name IS NOT NULL"));
  return Check("datasets", stored, quota);
}

absl::Status SqliteQuotas::CheckJobs(SqliteConnection& connection) const {
  const int64_t quota = Get().jobs;
  if (quota == 0) return absl::OkStatus();
  MLP_ASSIGN_OR_RETURN(const int64_t stored, connection.QueryInt("SELECT count(*) FROM jobs"));
  return Check("jobs", stored, quota);
}

absl::Status SqliteQuotas::CheckVersions(SqliteConnection& connection,
                                         absl::string_view model) const {
  const int64_t quota = Get().versions;
  if (quota == 0) return absl::OkStatus();
  SqliteStatement count = connection.Prepare("SELECT count(*) FROM versions WHERE model = ?1");
  count.Bind(model);
  MLP_RETURN_IF_ERROR(count.Step().status());
  return Check(absl::StrCat("versions of model ", model), count.Int(0), quota);
}

absl::Status SqliteQuotas::CheckBytes(SqliteConnection& connection, int64_t more) const {
  const int64_t quota = Get().bytes;
  if (quota == 0) return absl::OkStatus();
  MLP_ASSIGN_OR_RETURN(const int64_t stored,
                       connection.QueryInt("SELECT sum(bytes) FROM stored_bytes"));
  if (stored + more <= quota) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("bytes: ", stored, " of at most ", quota, " are stored, and ", more,
                   " more would be: delete datasets or versions first"));
}

}  // namespace mlp

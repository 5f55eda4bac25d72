#include "server/store/restore_backup.h"

#include <filesystem>
#include <memory>
#include <system_error>

#include <absl/cleanup/cleanup.h>
#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "server/store/data_folder.h"
#include "server/store/sqlite_connection.h"
#include "server/store/sqlite_store.h"

namespace mlp {
namespace {

namespace fs = std::filesystem;

// Under the data folder, where the copy is opened and verified before it counts.
constexpr char kWorkFolder[] = "/restoring";

absl::Status ToStatus(absl::string_view what, const std::error_code& error) {
  if (!error) return absl::OkStatus();
  const std::string message = absl::StrCat("restore: ", what, ": ", error.message());
  if (error == std::errc::no_such_file_or_directory) return absl::NotFoundError(message);
  if (error == std::errc::no_space_on_device) return absl::ResourceExhaustedError(message);
  return absl::InternalError(message);
}

// An empty file is a database without tables to SQLite, and would become a new store.
absl::Status CheckNotEmpty(const std::string& file) {
  MLP_ASSIGN_OR_RETURN(const std::unique_ptr<SqliteConnection> copy, SqliteConnection::Open(file));
  const absl::StatusOr<int64_t> schema = copy->QueryInt("PRAGMA user_version");
  if (!schema.ok() || *schema > 0) return absl::OkStatus();  // what else is wrong is found later
  return absl::FailedPreconditionError(
      "restore: the backup is empty: expected a file that `mlpctl admin backup` has written");
}

absl::StatusOr<VerifiedStore> VerifyCopy(const std::string& folder, const Clock& clock) {
  MLP_ASSIGN_OR_RETURN(const std::unique_ptr<Store> store, OpenSqliteStore(folder, clock));
  MLP_ASSIGN_OR_RETURN(
      const VerifiedStore verified, VerifyStore(*store, [](const StoreDamage& damage) {
        return absl::DataLossError(absl::StrCat("restore: the backup is damaged: ", damage.item,
                                                ": ", damage.status.message()));
      }));
  return verified;
}

}  // namespace

absl::StatusOr<VerifiedStore> RestoreBackup(const std::string& backup, const std::string& data_dir,
                                            const Clock& clock) {
  MLP_ASSIGN_OR_RETURN(const std::unique_ptr<DataFolder> folder, DataFolder::Acquire(data_dir));
  if (folder->HasDatabase()) {
    return absl::FailedPreconditionError(
        "restore: the data folder has a database already; give an empty one");
  }
  const std::string work = data_dir + kWorkFolder;
  std::error_code error;
  fs::remove_all(work, error);
  const absl::Cleanup clean_up = [&work] {
    std::error_code ignored;
    fs::remove_all(work, ignored);
  };
  fs::create_directory(work, error);
  MLP_RETURN_IF_ERROR(ToStatus("the data folder cannot be written to", error));
  fs::copy_file(backup, work + "/mlpd.db", error);
  MLP_RETURN_IF_ERROR(ToStatus("the backup cannot be copied", error));
  MLP_RETURN_IF_ERROR(CheckNotEmpty(work + "/mlpd.db"));
  MLP_ASSIGN_OR_RETURN(const VerifiedStore verified, VerifyCopy(work, clock));
  MLP_RETURN_IF_ERROR(folder->TakeDatabase(work + "/mlpd.db"));
  return verified;
}

}  // namespace mlp

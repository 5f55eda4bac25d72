#include "server/store/disk_space.h"

#include <algorithm>

#include <absl/strings/str_cat.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "core/base/status_macros.h"

namespace mlp {
namespace {

// For deletions and the ends of jobs: a few pages each.
constexpr int64_t kReserveBytes = int64_t{4} << 20;

// 0 where there is no such file.
int64_t FileBytes(const std::string& path) {
  struct stat found = {};
  return stat(path.c_str(), &found) == 0 ? int64_t{found.st_size} : 0;
}

}  // namespace

absl::Status CheckDiskSpace(SqliteConnection& connection, const std::string& path, int64_t bytes) {
  struct statvfs disk = {};
  if (statvfs(path.c_str(), &disk) != 0) return absl::OkStatus();  // then writing will tell
  const auto free_bytes = static_cast<int64_t>(disk.f_bavail * disk.f_frsize);

  MLP_ASSIGN_OR_RETURN(const int64_t page_bytes, connection.QueryInt("PRAGMA page_size"));
  MLP_ASSIGN_OR_RETURN(const int64_t pages, connection.QueryInt("PRAGMA page_count"));
  MLP_ASSIGN_OR_RETURN(const int64_t free_pages, connection.QueryInt("PRAGMA freelist_count"));
  // Pages have headers and pointers.
  bytes += bytes / 64;
  // What is in the log already and has no place in the database file yet; what the new bytes take
  // beyond the pages that deletions left; and what they add to the log.
  const int64_t in_log = std::max<int64_t>(pages * page_bytes - FileBytes(path), 0);
  const int64_t in_database = std::max<int64_t>(bytes - free_pages * page_bytes, 0);
  const int64_t to_log =
      std::max<int64_t>(connection.wal_pages() * page_bytes + bytes - FileBytes(path + "-wal"), 0);
  const int64_t needed = in_log + in_database + to_log + kReserveBytes;
  if (needed <= free_bytes) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("store: the disk is full: expected ", needed, " bytes free, got ", free_bytes));
}

}  // namespace mlp

// The server's folder, held by one process at a time.
#pragma once

#include <memory>
#include <string>

#include <absl/status/statusor.h>

namespace mlp {

// Holds the lock on the folder while it lives; the system lets go of it when the process ends,
// however it ends. Thread-compatible.
class DataFolder {
 public:
  // Makes the folder where it is missing, for its owner alone (mode 0700), and locks it.
  // FAILED_PRECONDITION: in use (names the process). NOT_FOUND: its parent is missing.
  // RESOURCE_EXHAUSTED: the disk is full, or there are too many files open. INTERNAL: it cannot be
  // made, opened or written to.
  static absl::StatusOr<std::unique_ptr<DataFolder>> Acquire(const std::string& path);
  ~DataFolder();
  DataFolder(const DataFolder&) = delete;
  DataFolder& operator=(const DataFolder&) = delete;

  std::string DatabaseFile() const { return path_ + "/mlpd.db"; }
  // Makes the database file, empty and for its owner alone, where it is missing. What a crash left
  // is durable then: also where the process before could not make it so. It is written anew, and
  // closing the file drops SQLite's locks on it: only before anybody has opened the database.
  absl::Status PrepareDatabase() const;
  bool HasDatabase() const;
  // Makes `file`, of the same file system, the folder's database, which has none. Durable on
  // return.
  absl::Status TakeDatabase(const std::string& file) const;
  // Where a backup is made; what a server that was killed left there is removed by the next.
  std::string BackupFile() const { return path_ + "/backup.db"; }

  // Makes the names of the files in the folder survive a power loss: SQLite does, but does not say
  // where it failed. INTERNAL or RESOURCE_EXHAUSTED.
  absl::Status Flush() const;

 private:
  DataFolder(std::string path, int lock_file) : path_(std::move(path)), lock_file_(lock_file) {}

  const std::string path_;
  const int lock_file_;
};

}  // namespace mlp

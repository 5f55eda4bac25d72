#include "server/store/data_folder.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/status_macros.h"

namespace mlp {
namespace {

constexpr mode_t kFolderMode = 0700;
constexpr mode_t kFileMode = 0600;

// The message leaves the path to the caller, who gave it.
absl::Status ErrnoStatus(absl::string_view what, int error) {
  const absl::StatusCode code =
      error == ENOENT ? absl::StatusCode::kNotFound : absl::StatusCode::kInternal;
  return absl::Status(code, absl::StrCat("data folder: ", what, ": ", std::strerror(error)));
}

// Makes a new entry of the folder survive a power loss.
absl::Status FlushFolder(const std::string& folder) {
  const int file = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return ErrnoStatus("its parent folder cannot be opened", errno);
  const int error = fsync(file) == 0 ? 0 : errno;
  close(file);
  // Some file systems cannot flush a folder, and need not.
  if (error != 0 && error != EINVAL) return ErrnoStatus("cannot be made durable", error);
  return absl::OkStatus();
}

absl::Status MakeFolder(const std::string& path) {
  if (mkdir(path.c_str(), kFolderMode) == 0) {
    return FlushFolder(std::filesystem::absolute(path + "/..").string());
  }
  if (errno == EEXIST) return absl::OkStatus();
  return ErrnoStatus(errno == ENOENT ? "cannot be made, its parent is missing" : "cannot be made",
                     errno);
}

absl::Status InUse(int lock_file) {
  std::array<char, 32> text;
  const ssize_t size = pread(lock_file, text.data(), text.size(), 0);
  int64_t pid = 0;
  // The other process may not have come to writing its id yet.
  if (size <= 0 ||
      !absl::SimpleAtoi(absl::string_view(text.data(), static_cast<size_t>(size)), &pid)) {
    return absl::FailedPreconditionError("data folder: in use by another process");
  }
  return absl::FailedPreconditionError(absl::StrCat("data folder: in use by process ", pid));
}

absl::Status WritePid(int lock_file) {
  const std::string pid = absl::StrCat(getpid(), "\n");
  if (ftruncate(lock_file, 0) != 0 ||
      pwrite(lock_file, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return ErrnoStatus("its lock file cannot be written to", errno);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<DataFolder>> DataFolder::Acquire(const std::string& path) {
  MLP_RETURN_IF_ERROR(MakeFolder(path));
  const int lock_file =
      open((path + "/mlpd.lock").c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, kFileMode);
  if (lock_file < 0) return ErrnoStatus("its lock file cannot be opened", errno);
  std::unique_ptr<DataFolder> folder(new DataFolder(path, lock_file));
  if (flock(lock_file, LOCK_EX | LOCK_NB) != 0) {
    return errno == EWOULDBLOCK ? InUse(lock_file) : ErrnoStatus("cannot be locked", errno);
  }
  MLP_RETURN_IF_ERROR(WritePid(lock_file));
  return folder;
}

DataFolder::~DataFolder() { close(lock_file_); }

bool DataFolder::HasDatabase() const {
  struct stat found = {};
  return stat((path_ + "/mlpd.db").c_str(), &found) == 0;
}

absl::Status DataFolder::TakeDatabase(const std::string& file) const {
  const int opened = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (opened < 0) return ErrnoStatus("the new database cannot be opened", errno);
  const int error = fsync(opened) == 0 && fchmod(opened, kFileMode) == 0 ? 0 : errno;
  close(opened);
  if (error != 0) return ErrnoStatus("the new database cannot be made durable", error);
  if (std::rename(file.c_str(), (path_ + "/mlpd.db").c_str()) != 0) {
    return ErrnoStatus("the new database cannot be moved", errno);
  }
  return FlushFolder(path_);
}

absl::StatusOr<std::string> DataFolder::DatabaseFile() const {
  std::string path = path_ + "/mlpd.db";
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode);
  if (file < 0) return ErrnoStatus("mlpd.db cannot be opened", errno);
  close(file);
  return path;
}

}  // namespace mlp

#include "server/store/data_folder.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <limits>
#include <utility>

#include <absl/cleanup/cleanup.h>
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

// Bytes that are read and written at a time.
constexpr size_t kBlockBytes = size_t{1} << 20;

// Calls again what a signal interrupted; of a flush nobody knows how far it came.
template <typename SystemCall>
auto Uninterrupted(SystemCall call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

absl::StatusCode CodeOf(int error) {
  switch (error) {
    case ENOENT:
      return absl::StatusCode::kNotFound;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
      return absl::StatusCode::kResourceExhausted;
    default:
      return absl::StatusCode::kInternal;
  }
}

// The message leaves the path to the caller, who gave it.
absl::Status ErrnoStatus(absl::string_view what, int error) {
  const absl::StatusCode code = CodeOf(error);
  return absl::Status(code, absl::StrCat("data folder: ", what, ": ", std::strerror(error)));
}

// Makes a new entry of the folder survive a power loss.
absl::Status FlushFolder(const std::string& folder) {
  const int file =
      Uninterrupted([&] { return open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (file < 0) return ErrnoStatus("it or its parent folder cannot be opened", errno);
  const int error = fsync(file) == 0 ? 0 : errno;
  close(file);
  // Some file systems cannot flush a folder, and need not.
  if (error != 0 && error != EINVAL) return ErrnoStatus("cannot be made durable", error);
  return absl::OkStatus();
}

absl::Status MakeFolder(const std::string& path) {
  const bool made = mkdir(path.c_str(), kFolderMode) == 0;
  if (!made && errno != EEXIST) {
    return ErrnoStatus(errno == ENOENT ? "cannot be made, its parent is missing" : "cannot be made",
                       errno);
  }
  const std::string parent = std::filesystem::absolute(path + "/..").string();
  // Somebody else made it for us.
  if (!made && access(parent.c_str(), R_OK) != 0) return absl::OkStatus();
  // Else also where it was there: a server may have made it and been killed, or failed, before
  // this.
  return FlushFolder(parent);
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

// The system may write less than it is asked to.
absl::Status WriteAt(int file, int64_t offset, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = Uninterrupted(
        [&] { return pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
    if (written < 0) return ErrnoStatus("cannot be written to", errno);
    bytes.remove_prefix(static_cast<size_t>(written));
    offset += written;
  }
  return absl::OkStatus();
}

absl::Status WritePid(int lock_file) {
  const std::string pid = absl::StrCat(getpid(), "\n");
  if (Uninterrupted([&] { return ftruncate(lock_file, 0); }) != 0) {
    return ErrnoStatus("its lock file cannot be written to", errno);
  }
  return WriteAt(lock_file, 0, pid);
}

// Writes every byte of a file anew and flushes it, up to a size. After a flush that failed the
// system takes pages for written that are not; these are not any more.
absl::Status MakeDurable(const std::string& path, int64_t max_bytes) {
  const int file = Uninterrupted([&] { return open(path.c_str(), O_RDWR | O_CLOEXEC); });
  if (file < 0 && errno == ENOENT) return absl::OkStatus();
  if (file < 0) return ErrnoStatus("a file in it cannot be opened", errno);
  const absl::Cleanup close_file = [file] { close(file); };
  std::string block(kBlockBytes, '\0');
  int64_t offset = 0;
  while (offset < max_bytes) {
    const ssize_t size = Uninterrupted(
        [&] { return pread(file, block.data(), block.size(), static_cast<off_t>(offset)); });
    if (size < 0) return ErrnoStatus("a file in it cannot be read", errno);
    if (size == 0) break;
    MLP_RETURN_IF_ERROR(
        WriteAt(file, offset, absl::string_view(block).substr(0, static_cast<size_t>(size))));
    offset += size;
  }
  if (offset == 0 || fsync(file) == 0) return absl::OkStatus();
  return ErrnoStatus("a file in it cannot be made durable", errno);
}

}  // namespace

absl::StatusOr<std::unique_ptr<DataFolder>> DataFolder::Acquire(const std::string& path) {
  MLP_RETURN_IF_ERROR(MakeFolder(path));
  const std::string lock_path = path + "/mlpd.lock";
  const int lock_file = Uninterrupted([&] {
    return open(lock_path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, kFileMode);
  });
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

absl::Status DataFolder::PrepareDatabase() const {
  const std::string path = DatabaseFile();
  const int file =
      Uninterrupted([&] { return open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode); });
  if (file < 0) return ErrnoStatus("mlpd.db cannot be opened", errno);
  close(file);
  // The beginning of the database is all that there is before it gets a log.
  MLP_RETURN_IF_ERROR(MakeDurable(path, static_cast<int64_t>(kBlockBytes)));
  return MakeDurable(path + "-wal", std::numeric_limits<int64_t>::max());
}

absl::Status DataFolder::Flush() const { return FlushFolder(path_); }

}  // namespace mlp

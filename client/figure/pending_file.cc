#include "client/figure/pending_file.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include <absl/strings/str_cat.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mlp {
namespace {

absl::Status LastError(const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path));
}

absl::Status WriteAll(int file_descriptor, absl::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = write(file_descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return LastError(path);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

}  // namespace

PendingFile::PendingFile(std::string path, std::string temporary, int file_descriptor)
    : path_(std::move(path)), temporary_(std::move(temporary)), file_descriptor_(file_descriptor) {}

PendingFile::PendingFile(PendingFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::move(other.temporary_)),
      file_descriptor_(std::exchange(other.file_descriptor_, -1)) {}

PendingFile::~PendingFile() {
  if (file_descriptor_ < 0) return;
  close(file_descriptor_);
  unlink(temporary_.c_str());
}

absl::StatusOr<PendingFile> PendingFile::Create(const std::string& path) {
  struct stat existing = {};
  if (stat(path.c_str(), &existing) == 0) {
    if (S_ISDIR(existing.st_mode)) {
      return absl::FailedPreconditionError(absl::StrCat("cannot write ", path, ": it is a folder"));
    }
    if (access(path.c_str(), W_OK) != 0) return LastError(path);
  }
  std::string temporary = absl::StrCat(path, ".XXXXXX");
  const int file_descriptor = mkstemp(temporary.data());
  if (file_descriptor < 0) return LastError(path);
  return PendingFile(path, std::move(temporary), file_descriptor);
}

absl::Status PendingFile::Append(absl::string_view bytes) {
  return WriteAll(file_descriptor_, bytes, path_);
}

absl::Status PendingFile::Commit(absl::string_view bytes) {
  absl::Status status = Append(bytes);
  // mkstemp's own rights are the owner's alone: give those that any new file has.
  const mode_t mask = umask(0);
  umask(mask);
  if (status.ok() && fchmod(file_descriptor_, 0666 & ~mask) != 0) status = LastError(path_);
  if (status.ok() && fsync(file_descriptor_) != 0) status = LastError(path_);
  if (close(std::exchange(file_descriptor_, -1)) != 0) status.Update(LastError(path_));
  if (status.ok() && std::rename(temporary_.c_str(), path_.c_str()) != 0) status = LastError(path_);
  if (!status.ok()) unlink(temporary_.c_str());
  return status;
}

}  // namespace mlp

// A file that comes into being whole or not at all, and whose place is tried before the work for it
// is begun.
#pragma once

#include <string>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

namespace mlp {

// Thread-compatible.
class PendingFile {
 public:
  // Creates a file beside `path`, which stays as it is. The system's reason where that cannot be
  // done: NOT_FOUND (no such folder), PERMISSION_DENIED and so on; FAILED_PRECONDITION where `path`
  // is a folder.
  static absl::StatusOr<PendingFile> Create(const std::string& path);

  PendingFile(PendingFile&& other) noexcept;
  PendingFile& operator=(PendingFile&&) = delete;
  // Removes what was not committed.
  ~PendingFile();

  // Writes at its end.
  absl::Status Append(absl::string_view bytes);

  // Appends the bytes and puts the file, durable, in the place of `path`, replacing what is there.
  // Once.
  absl::Status Commit(absl::string_view bytes = {});

 private:
  PendingFile(std::string path, std::string temporary, int file_descriptor);

  std::string path_;
  std::string temporary_;
  int file_descriptor_;  // -1 once it is done with
};

}  // namespace mlp

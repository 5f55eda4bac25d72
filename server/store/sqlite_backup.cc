#include "server/store/sqlite_backup.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <absl/cleanup/cleanup.h>
#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/status_macros.h"
#include "server/store/sqlite_connection.h"

namespace mlp {
namespace {

absl::Status ErrnoStatus(const char* what, int error) {
  return absl::InternalError(absl::StrCat("backup: ", what, ": ", std::strerror(error)));
}

class OpenFile final : public StoreBackup {
 public:
  OpenFile(int file, int64_t size) : file_(file), size_(size) {}
  ~OpenFile() override { close(file_); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  int64_t size() const override { return size_; }

  absl::StatusOr<std::string> Read(size_t most) override {
    std::string bytes(most, '\0');
    ssize_t got = -1;
    do {
      got = read(file_, bytes.data(), bytes.size());
    } while (got < 0 && errno == EINTR);
    if (got < 0) return ErrnoStatus("the copy cannot be read", errno);
    bytes.resize(static_cast<size_t>(got));
    return bytes;
  }

 private:
  const int file_;
  const int64_t size_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<StoreBackup>> CopyDatabase(const std::string& file,
                                                          const std::string& copy) {
  std::remove(copy.c_str());
  const absl::Cleanup remove = [&copy] { std::remove(copy.c_str()); };
  {
    MLP_ASSIGN_OR_RETURN(const std::unique_ptr<SqliteConnection> connection,
                         SqliteConnection::Open(file));
    SqliteStatement vacuum = connection->Prepare("VACUUM INTO ?1");
    vacuum.Bind(copy);
    MLP_RETURN_IF_ERROR(vacuum.Run());
  }
  const int opened = open(copy.c_str(), O_RDONLY | O_CLOEXEC);
  if (opened < 0) return ErrnoStatus("the copy cannot be opened", errno);
  struct stat found = {};
  if (fstat(opened, &found) != 0) {
    const int error = errno;
    close(opened);
    return ErrnoStatus("the copy cannot be looked at", error);
  }
  return std::make_unique<OpenFile>(opened, found.st_size);
}

}  // namespace mlp

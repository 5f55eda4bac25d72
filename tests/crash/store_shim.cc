// Stands between the store and the system, by LD_PRELOAD: counts the calls on files under one
// folder and, at a given one, kills the process or lets the call fail; or keeps a log of them that
// power_loss.py replays.
//
// The WAL-index (mlpd.db-shm) is memory that SQLite maps: what is stored there is no call, and this
// shim does not see it. Nor need it: whoever opens the database first rebuilds the index from the
// WAL and believes nothing of what was there, so a kill between two such stores leaves what a kill
// at the next call leaves.
//
// Environment:
//   STORE_SHIM_FOLDER  the folder; calls on files elsewhere pass uncounted
//   STORE_SHIM_TRACE   file to append a line a call to: NUMBER NAME FILE BYTES
//   STORE_SHIM_LOG     file to append a record a call to: LogRecord, the name, the bytes
//   STORE_SHIM_AT      the call, from 1, that the fault is at
//   STORE_SHIM_FAULT   kill-before, kill-half (of a write), kill-after, short, or an error: EIO,
//                      ENOSPC, EINTR, EMFILE
//   STORE_SHIM_FOR     how many calls in a row, while they have the same name, the fault is at (1)
//   STORE_SHIM_QUOTA   bytes; no file grows beyond it: ENOSPC
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

constexpr size_t kMaxFiles = 4096;  // descriptors at or above it are not looked at

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

int64_t Number(const char* name, int64_t otherwise) {
  const std::string value = Variable(name);
  return value.empty() ? otherwise : std::atoll(value.c_str());
}

int OpenForAppending(const std::string& path) {
  if (path.empty()) return -1;
  return static_cast<int>(
      syscall(SYS_openat, AT_FDCWD, path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
}

// As power_loss.py reads it: little-endian, no padding.
struct [[gnu::packed]] LogRecord {
  char call;        // o(pen), w(rite), t(runcate), s(ync), u(nlink), a(cknowledgement on stdout)
  uint8_t ok;       // 0: it failed
  uint16_t name;    // bytes of the file's name, which follow
  uint64_t offset;  // of a write; the new size of a truncation
  uint64_t bytes;   // which follow the name
};

struct Settings {
  std::string folder = Variable("STORE_SHIM_FOLDER");
  int trace = OpenForAppending(Variable("STORE_SHIM_TRACE"));
  int log = OpenForAppending(Variable("STORE_SHIM_LOG"));
  int64_t at = Number("STORE_SHIM_AT", 0);
  int64_t count = Number("STORE_SHIM_FOR", 1);
  int64_t quota = Number("STORE_SHIM_QUOTA", 0);
  std::string fault = Variable("STORE_SHIM_FAULT");
};

// Never destroyed: calls come until the process ends.
const Settings& settings() {
  static const auto* const instance = new Settings();
  return *instance;
}

std::atomic<int64_t> calls{0};
std::mutex mutex;  // of names and log
std::array<std::string*, kMaxFiles> names;

// The name under the folder; empty where the path is elsewhere. The folder itself is ".".
std::string NameOf(const char* path) {
  const std::string& folder = settings().folder;
  if (folder.empty() || std::strncmp(path, folder.c_str(), folder.size()) != 0) return "";
  const char* rest = path + folder.size();
  if (*rest == '\0') return ".";
  // The folder's parent, as DataFolder writes it.
  if (std::strcmp(rest, "/..") == 0) return "..";
  return *rest == '/' ? rest + 1 : "";
}

std::string NameOf(int file) {
  if (file < 0 || static_cast<size_t>(file) >= kMaxFiles) return "";
  const std::lock_guard<std::mutex> lock(mutex);
  const std::string* name = names[static_cast<size_t>(file)];
  return name == nullptr ? "" : *name;
}

void SetName(int file, const std::string& name) {
  if (file < 0 || static_cast<size_t>(file) >= kMaxFiles) return;
  const std::lock_guard<std::mutex> lock(mutex);
  std::string*& slot = names[static_cast<size_t>(file)];
  delete slot;
  slot = name.empty() ? nullptr : new std::string(name);
}

void WriteAll(int file, const void* data, size_t size) {
  const char* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const long written = syscall(SYS_write, file, bytes, size);
    if (written <= 0) return;
    bytes += written;
    size -= static_cast<size_t>(written);
  }
}

void Log(char call, bool ok, const std::string& name, uint64_t offset, const void* data,
         size_t size) {
  if (settings().log < 0) return;
  LogRecord header{call, static_cast<uint8_t>(ok), static_cast<uint16_t>(name.size()), offset,
                   size};
  std::string record(reinterpret_cast<const char*>(&header), sizeof(header));
  record += name;
  record.append(static_cast<const char*>(data), size);
  const std::lock_guard<std::mutex> lock(mutex);
  WriteAll(settings().log, record.data(), record.size());
}

void Kill() {
  syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
  while (true) pause();
}

int ErrorOf(const std::string& fault) {
  if (fault == "EIO") return EIO;
  if (fault == "ENOSPC") return ENOSPC;
  if (fault == "EINTR") return EINTR;
  if (fault == "EMFILE") return EMFILE;
  return 0;
}

// One call on a file of the folder, and what is to happen at it.
class Call {
 public:
  Call(const char* call, const std::string& name, size_t bytes) {
    if (name.empty()) return;
    const int64_t number = ++calls;
    if (settings().trace >= 0) {
      std::array<char, 256> line;
      const int size = std::snprintf(line.data(), line.size(), "%lld %s %s %zu\n",
                                     static_cast<long long>(number), call, name.c_str(), bytes);
      WriteAll(settings().trace, line.data(), static_cast<size_t>(size));
    }
    if (settings().at == 0 || number < settings().at) return;
    if (number == settings().at) first_call_ = call;
    // The literals of one name need not be one, but are the same text.
    if (number >= settings().at + settings().count || first_call_.load() == nullptr ||
        std::strcmp(first_call_, call) != 0) {
      return;
    }
    faulty_ = true;
    if (settings().fault == "kill-before") Kill();
  }

  // The error to fail with, 0 for none.
  int error() const { return faulty_ ? ErrorOf(settings().fault) : 0; }

  // How many of the bytes a read or write is to move.
  size_t Cut(size_t bytes) const {
    const bool halves = settings().fault == "short" || settings().fault == "kill-half";
    return faulty_ && halves && bytes > 1 ? bytes / 2 : bytes;
  }

  template <typename Result>
  Result Done(Result result) const {
    const bool kills = settings().fault == "kill-after" || settings().fault == "kill-half";
    if (faulty_ && kills) Kill();
    return result;
  }

 private:
  static std::atomic<const char*> first_call_;
  bool faulty_ = false;
};

std::atomic<const char*> Call::first_call_{nullptr};

int Fail(int error) {
  errno = error;
  return -1;
}

int Open(const char* path, int flags, mode_t mode) {
  const std::string name = NameOf(path);
  const Call call("open", name, 0);
  if (const int error = call.error()) return Fail(error);
  const int file = static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, flags, mode));
  SetName(file, file < 0 ? "" : name);
  if (file >= 0 && !name.empty() && (flags & O_CREAT) != 0) Log('o', true, name, 0, "", 0);
  return call.Done(file);
}

ssize_t Write(int file, const void* data, size_t size, int64_t offset) {
  const std::string name = NameOf(file);
  const Call call("write", name, size);
  if (const int error = call.error()) return Fail(error);
  if (!name.empty() && settings().quota > 0 &&
      offset + static_cast<int64_t>(size) > settings().quota) {
    return Fail(ENOSPC);
  }
  const long written = syscall(SYS_pwrite64, file, data, call.Cut(size), offset);
  if (!name.empty() && written > 0) {
    Log('w', true, name, static_cast<uint64_t>(offset), data, static_cast<size_t>(written));
  }
  return call.Done(written);
}

ssize_t Read(int file, void* data, size_t size, int64_t offset) {
  const Call call("read", NameOf(file), size);
  if (const int error = call.error()) return Fail(error);
  return call.Done(syscall(SYS_pread64, file, data, call.Cut(size), offset));
}

int Truncate(int file, int64_t size) {
  const std::string name = NameOf(file);
  const Call call("ftruncate", name, static_cast<size_t>(size));
  if (const int error = call.error()) return Fail(error);
  const int result = static_cast<int>(syscall(SYS_ftruncate, file, size));
  if (!name.empty() && result == 0) Log('t', true, name, static_cast<uint64_t>(size), "", 0);
  return call.Done(result);
}

int Sync(long number, int file) {
  const std::string name = NameOf(file);
  const Call call("sync", name, 0);
  if (const int error = call.error()) {
    Log('s', false, name, 0, "", 0);
    return Fail(error);
  }
  const int result = static_cast<int>(syscall(number, file));
  if (!name.empty()) Log('s', result == 0, name, 0, "", 0);
  return call.Done(result);
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, mode_t) : 0;
  va_end(list);
  return Open(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, mode_t) : 0;
  va_end(list);
  return Open(path, flags, mode);
}

int close(int file) {
  SetName(file, "");
  return static_cast<int>(syscall(SYS_close, file));
}

int mkdir(const char* path, mode_t mode) {
  const Call call("mkdir", NameOf(path), 0);
  if (const int error = call.error()) return Fail(error);
  return call.Done(static_cast<int>(syscall(SYS_mkdir, path, mode)));
}

int unlink(const char* path) {
  const std::string name = NameOf(path);
  const Call call("unlink", name, 0);
  if (const int error = call.error()) return Fail(error);
  const int result = static_cast<int>(syscall(SYS_unlink, path));
  if (!name.empty() && result == 0) Log('u', true, name, 0, "", 0);
  return call.Done(result);
}

ssize_t pwrite(int file, const void* data, size_t size, off_t offset) {
  return Write(file, data, size, offset);
}
ssize_t pwrite64(int file, const void* data, size_t size, off64_t offset) {
  return Write(file, data, size, offset);
}

// Of the folder's files SQLite writes by pwrite alone; here pass the acknowledgements on stdout.
ssize_t write(int file, const void* data, size_t size) {
  const long written = syscall(SYS_write, file, data, size);
  if (file == STDOUT_FILENO && written > 0)
    Log('a', true, "", 0, data, static_cast<size_t>(written));
  return written;
}

ssize_t pread(int file, void* data, size_t size, off_t offset) {
  return Read(file, data, size, offset);
}
ssize_t pread64(int file, void* data, size_t size, off64_t offset) {
  return Read(file, data, size, offset);
}

int ftruncate(int file, off_t size) noexcept { return Truncate(file, size); }
int ftruncate64(int file, off64_t size) noexcept { return Truncate(file, size); }

int fsync(int file) { return Sync(SYS_fsync, file); }
int fdatasync(int file) { return Sync(SYS_fdatasync, file); }

void* mmap(void* address, size_t size, int protection, int flags, int file, off_t offset) noexcept {
  const Call call("mmap", file < 0 ? "" : NameOf(file), size);
  if (const int error = call.error()) {
    errno = error;
    return MAP_FAILED;
  }
  return call.Done(
      reinterpret_cast<void*>(syscall(SYS_mmap, address, size, protection, flags, file, offset)));
}
void* mmap64(void* address, size_t size, int protection, int flags, int file,
             off64_t offset) noexcept {
  return mmap(address, size, protection, flags, file, offset);
}

}  // extern "C"

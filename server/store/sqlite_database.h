// The open database: one connection that writes, a few that read, one for checkpoints. What the
// store keeps (datasets, jobs, models) is written and read through Write and Read alone.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <absl/base/thread_annotations.h>
#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>

#include "server/store/sqlite_connection.h"
#include "server/store/wal_checkpointer.h"

namespace mlp {

// Thread-safe. In WAL mode a reader sees the database as of its first look and neither waits for
// the writer nor makes it wait. The writer's mutex is held over a transaction's I/O, as it must be:
// bodies do nothing else in there. A body must not call back into the database.
class SqliteDatabase {
 public:
  // Opens or creates the file and brings its schema up to date. FAILED_PRECONDITION: not ours, or
  // of a newer server. Otherwise errors as of SqliteStatus.
  static absl::StatusOr<std::unique_ptr<SqliteDatabase>> Open(const std::string& path);

  ~SqliteDatabase();

  // Runs body(connection) in a write transaction and returns what it does, an absl::Status or an
  // absl::StatusOr: committed and durable where this returns OK, of no effect otherwise. But after
  // a flush that failed, which is INTERNAL as all writes after it are, the database may show the
  // transaction when it is opened again, and may not.
  template <typename Body>
  auto Write(Body body) {
    return Returning(body, [this](Transaction run) { return WriteWith(Synchronous::kFull, run); });
  }

  // The same, but durable only with the next Write, or later: for what nobody was told of yet. In
  // order: no power loss keeps a later transaction and loses an earlier one.
  template <typename Body>
  auto WriteUnflushed(Body body) {
    return Returning(body,
                     [this](Transaction run) { return WriteWith(Synchronous::kNormal, run); });
  }

  // RESOURCE_EXHAUSTED where the disk has no room for `bytes` more and what must always have some:
  // asked before pieces of datasets, checkpoints and artifacts are written. See disk_space.h.
  absl::Status CheckSpace(int64_t bytes);

  // Runs body(connection) in a read transaction and returns what it does, an absl::Status or an
  // absl::StatusOr. UNAVAILABLE where all readers are taken for 5 s.
  template <typename Body>
  auto Read(Body body) {
    return Returning(body, [this](Transaction run) { return ReadWith(run); });
  }

 private:
  using Transaction = absl::FunctionRef<absl::Status(SqliteConnection&)>;
  enum class Synchronous { kNormal = 1, kFull = 2 };

  // A body's value is good only where its transaction is.
  template <typename Body, typename Run>
  static auto Returning(Body& body, Run run) {
    using Result = std::invoke_result_t<Body&, SqliteConnection&>;
    if constexpr (std::is_same_v<Result, absl::Status>) {
      return run(body);
    } else {
      Result result = absl::UnknownError("the transaction did not run");
      absl::Status status = run([&](SqliteConnection& connection) {
        result = body(connection);
        return result.status();
      });
      if (!status.ok()) result = std::move(status);
      return result;
    }
  }

  SqliteDatabase(std::string path, std::unique_ptr<SqliteConnection> writer, int64_t page_bytes,
                 std::unique_ptr<WalCheckpointer> checkpointer);

  absl::Status WriteWith(Synchronous synchronous, Transaction run);
  absl::Status ReadWith(Transaction run);
  // INTERNAL where the disk failed to keep something.
  absl::Status CheckFlushes() ABSL_EXCLUSIVE_LOCKS_REQUIRED(writer_mutex_);
  absl::Status SetSynchronous(Synchronous synchronous) ABSL_EXCLUSIVE_LOCKS_REQUIRED(writer_mutex_);
  absl::StatusOr<std::unique_ptr<SqliteConnection>> TakeReader();
  void ReturnReader(std::unique_ptr<SqliteConnection> reader);

  const std::string path_;

  // The two mutexes are never held together.
  absl::Mutex writer_mutex_;
  const std::unique_ptr<SqliteConnection> writer_ ABSL_PT_GUARDED_BY(writer_mutex_);
  Synchronous synchronous_ ABSL_GUARDED_BY(writer_mutex_) = Synchronous::kFull;
  const int64_t page_bytes_;
  const std::unique_ptr<WalCheckpointer> checkpointer_;

  absl::Mutex readers_mutex_;
  std::vector<std::unique_ptr<SqliteConnection>> idle_readers_ ABSL_GUARDED_BY(readers_mutex_);
  int readers_ ABSL_GUARDED_BY(readers_mutex_) = 0;  // idle and taken
};

}  // namespace mlp

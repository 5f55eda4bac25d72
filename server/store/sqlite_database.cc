#include "server/store/sqlite_database.h"

#include <utility>

#include <absl/cleanup/cleanup.h>
#include <absl/strings/str_cat.h>
#include <absl/time/time.h>

#include "core/base/status_macros.h"
#include "server/store/disk_space.h"
#include "server/store/sqlite_schema.h"

namespace mlp {
namespace {

constexpr int kMaxReaders = 8;
constexpr absl::Duration kReaderTimeout = absl::Seconds(5);

// Every 16 MiB of log go into the database file, so that the log stays bounded whatever is
// uploaded; one that a long transaction or reader made larger is cut back to journal_size_limit.
constexpr int kMaxWalPages = 4096;

// secure_delete: Debian's SQLite would overwrite deleted datasets with zeros,
// at the price of an upload; FAST does so only where it costs no I/O. synchronous=FULL flushes the
// log at each commit: see WriteUnflushed for the exception.
constexpr char kWriterSettings[] =
    "PRAGMA synchronous = FULL;"
    "PRAGMA foreign_keys = ON;"
    "PRAGMA secure_delete = FAST;"
    "PRAGMA journal_size_limit = 67108864;"
    "PRAGMA trusted_schema = OFF;";

constexpr char kReaderSettings[] =
    "PRAGMA query_only = ON;"
    "PRAGMA trusted_schema = OFF;";

absl::Status SwitchToWal(SqliteConnection& connection) {
  SqliteStatement statement = connection.Prepare("PRAGMA journal_mode = WAL");
  MLP_ASSIGN_OR_RETURN(const bool row, statement.Step());
  if (!row || statement.Bytes(0) != "wal") {
    return absl::InternalError("store: the file system of the data folder does not support a WAL");
  }
  // The row comes before the commit that makes it true.
  return statement.Run();
}

}  // namespace

SqliteDatabase::SqliteDatabase(std::string path, std::unique_ptr<SqliteConnection> writer)
    : path_(std::move(path)), writer_(std::move(writer)) {}

absl::StatusOr<std::unique_ptr<SqliteDatabase>> SqliteDatabase::Open(const std::string& path) {
  MLP_ASSIGN_OR_RETURN(std::unique_ptr<SqliteConnection> writer, SqliteConnection::Open(path));
  MLP_RETURN_IF_ERROR(CheckDatabaseIsOurs(*writer));
  if (writer->read_only()) {
    return absl::InternalError("store: mlpd.db cannot be written to");
  }
  MLP_RETURN_IF_ERROR(SwitchToWal(*writer));
  MLP_RETURN_IF_ERROR(writer->Execute(kWriterSettings));
  MLP_RETURN_IF_ERROR(Migrate(*writer));
  return std::unique_ptr<SqliteDatabase>(new SqliteDatabase(path, std::move(writer)));
}

// With synchronous=NORMAL a commit appends to the log without flushing it. That is sound here: the
// flush of the next FULL commit is of the whole log file and so covers all frames before its own,
// and recovery stops at the first frame that is not whole, so it never keeps a later transaction
// without the earlier ones. A checkpoint flushes the log before it touches the database file, at
// NORMAL too. All of it holds until a flush fails: frames before it may be lost for good, and later
// ones, however well flushed, with them. So nothing is written any more.
absl::Status SqliteDatabase::WriteWith(Synchronous synchronous, Transaction run) {
  absl::MutexLock lock(&writer_mutex_);
  if (writer_->flush_failed()) {
    return absl::InternalError(
        "store: the disk failed to keep what was written: nothing more is stored until the server "
        "is restarted");
  }
  MLP_RETURN_IF_ERROR(SetSynchronous(synchronous));
  {
    SqliteTransaction transaction(*writer_);
    MLP_RETURN_IF_ERROR(transaction.Begin(SqliteTransaction::Kind::kWrite));
    MLP_RETURN_IF_ERROR(run(*writer_));
    MLP_RETURN_IF_ERROR(transaction.Commit());
  }
  // Committed whatever becomes of this; what cannot be copied now is copied later.
  if (writer_->wal_pages() >= kMaxWalPages) writer_->Checkpoint().IgnoreError();
  return absl::OkStatus();
}

absl::Status SqliteDatabase::CheckSpace(int64_t bytes) {
  absl::MutexLock lock(&writer_mutex_);
  return CheckDiskSpace(*writer_, path_, bytes);
}

absl::Status SqliteDatabase::SetSynchronous(Synchronous synchronous) {
  if (synchronous == synchronous_) return absl::OkStatus();
  // Executed, not prepared: SQLite applies this pragma when it is compiled.
  MLP_RETURN_IF_ERROR(
      writer_->Execute(absl::StrCat("PRAGMA synchronous = ", static_cast<int>(synchronous))));
  synchronous_ = synchronous;
  return absl::OkStatus();
}

absl::Status SqliteDatabase::ReadWith(Transaction run) {
  MLP_ASSIGN_OR_RETURN(std::unique_ptr<SqliteConnection> reader, TakeReader());
  // Also where `run` throws, for want of memory.
  const absl::Cleanup give_back = [&] { ReturnReader(std::move(reader)); };
  // Never committed: there is nothing to keep.
  SqliteTransaction transaction(*reader);
  MLP_RETURN_IF_ERROR(transaction.Begin(SqliteTransaction::Kind::kRead));
  return run(*reader);
}

absl::StatusOr<std::unique_ptr<SqliteConnection>> SqliteDatabase::TakeReader() {
  {
    const auto available = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(readers_mutex_) {
      return !idle_readers_.empty() || readers_ < kMaxReaders;
    };
    absl::MutexLock lock(&readers_mutex_);
    if (!readers_mutex_.AwaitWithTimeout(absl::Condition(&available), kReaderTimeout)) {
      return absl::UnavailableError("store: too many reads at the same time");
    }
    if (!idle_readers_.empty()) {
      std::unique_ptr<SqliteConnection> reader = std::move(idle_readers_.back());
      idle_readers_.pop_back();
      return reader;
    }
    ++readers_;
  }
  absl::StatusOr<std::unique_ptr<SqliteConnection>> reader = SqliteConnection::Open(path_);
  if (reader.ok()) {
    const absl::Status status = (*reader)->Execute(kReaderSettings);
    if (!status.ok()) reader = status;
  }
  if (!reader.ok()) ReturnReader(nullptr);
  return reader;
}

void SqliteDatabase::ReturnReader(std::unique_ptr<SqliteConnection> reader) {
  absl::MutexLock lock(&readers_mutex_);
  if (reader == nullptr) {
    --readers_;
  } else {
    idle_readers_.push_back(std::move(reader));
  }
}

}  // namespace mlp

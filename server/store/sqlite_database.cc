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

// From so much log on, it goes into the database file in the background; from so much on, writers
// wait until it is there, so that the log stays bounded whatever is uploaded. One that a long
// transaction or reader made larger is cut back to journal_size_limit.
constexpr int64_t kLargeWalBytes = int64_t{16} << 20;
constexpr int64_t kMaxWalBytes = int64_t{32} << 20;

// Of a new database. Most bytes are in pieces of a megabyte: pages of 4 KiB, SQLite's default, make
// publishing 10 MB two thirds slower (tests/bench/publish_bench), for each is written and summed by
// itself.
constexpr char kNewDatabaseSettings[] = "PRAGMA page_size = 32768;";

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

SqliteDatabase::SqliteDatabase(std::string path, std::unique_ptr<SqliteConnection> writer,
                               int64_t page_bytes, std::unique_ptr<WalCheckpointer> checkpointer)
    : path_(std::move(path)),
      writer_(std::move(writer)),
      page_bytes_(page_bytes),
      checkpointer_(std::move(checkpointer)) {}

SqliteDatabase::~SqliteDatabase() {
  absl::MutexLock lock(&writer_mutex_);
  checkpointer_->Stop();
  if (checkpointer_->flush_failed()) writer_->LeaveWalToRecovery();
}

absl::StatusOr<std::unique_ptr<SqliteDatabase>> SqliteDatabase::Open(const std::string& path) {
  MLP_ASSIGN_OR_RETURN(std::unique_ptr<SqliteConnection> writer, SqliteConnection::Open(path));
  MLP_RETURN_IF_ERROR(CheckDatabaseIsOurs(*writer));
  if (writer->read_only()) {
    return absl::InternalError("store: mlpd.db cannot be written to");
  }
  MLP_RETURN_IF_ERROR(writer->Execute(kNewDatabaseSettings));
  MLP_RETURN_IF_ERROR(SwitchToWal(*writer));
  MLP_RETURN_IF_ERROR(writer->Execute(kWriterSettings));
  MLP_RETURN_IF_ERROR(Migrate(*writer));
  MLP_ASSIGN_OR_RETURN(const int64_t page_bytes, writer->QueryInt("PRAGMA page_size"));
  MLP_ASSIGN_OR_RETURN(std::unique_ptr<WalCheckpointer> checkpointer, WalCheckpointer::Start(path));
  return std::unique_ptr<SqliteDatabase>(
      new SqliteDatabase(path, std::move(writer), page_bytes, std::move(checkpointer)));
}

// With synchronous=NORMAL a commit appends to the log without flushing it. That is sound here: the
// flush of the next FULL commit is of the whole log file and so covers all frames before its own,
// and recovery stops at the first frame that is not whole, so it never keeps a later transaction
// without the earlier ones. A checkpoint flushes the log before it touches the database file, at
// NORMAL too. All of it holds until a flush fails: frames before it may be lost for good, and later
// ones, however well flushed, with them. So nothing is written any more.
absl::Status SqliteDatabase::WriteWith(Synchronous synchronous, Transaction run) {
  absl::MutexLock lock(&writer_mutex_);
  MLP_RETURN_IF_ERROR(CheckFlushes());
  MLP_RETURN_IF_ERROR(SetSynchronous(synchronous));
  {
    SqliteTransaction transaction(*writer_);
    MLP_RETURN_IF_ERROR(transaction.Begin(SqliteTransaction::Kind::kWrite));
    MLP_RETURN_IF_ERROR(run(*writer_));
    MLP_RETURN_IF_ERROR(transaction.Commit());
  }
  // Committed whatever becomes of this; what cannot be copied now is copied later.
  const int64_t wal_bytes = writer_->wal_pages() * page_bytes_;
  if (wal_bytes >= kMaxWalBytes) {
    checkpointer_->RequestAndWait();
  } else if (wal_bytes >= kLargeWalBytes) {
    checkpointer_->Request();
  }
  // The log that was flushed here may have lost pages to a flush that failed there. (Linux tells
  // each of those who have the file open; this does not rely on it.)
  return CheckFlushes();
}

absl::Status SqliteDatabase::CheckFlushes() {
  if (!writer_->flush_failed() && !checkpointer_->flush_failed()) return absl::OkStatus();
  return absl::InternalError(
      "store: the disk failed to keep what was written: nothing more is stored until the server is "
      "restarted");
}

absl::Status SqliteDatabase::CheckSpace(int64_t bytes) {
  absl::MutexLock lock(&writer_mutex_);
  const absl::Status status = CheckDiskSpace(*writer_, path_, bytes);
  if (!absl::IsResourceExhausted(status)) return status;
  // The log is in the way. What cannot be moved now may be at the next try.
  checkpointer_->RequestAndWait();
  writer_->TruncateWal().IgnoreError();
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

#include "server/store/sqlite_connection.h"

#include <cerrno>
#include <utility>

#include <absl/strings/str_cat.h>
#include <sqlite3.h>

#include "core/base/status_macros.h"

namespace mlp {
namespace {

bool IsShortage(int system_error) {
  switch (system_error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return true;
    default:
      return false;
  }
}

absl::StatusCode StatusCodeOf(int code, int system_error) {
  // SQLite says that a file could not be opened or written to, the system why. The error is the
  // call's own for these codes alone.
  const int primary = code & 0xFF;
  if ((primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN) && IsShortage(system_error)) {
    return absl::StatusCode::kResourceExhausted;
  }
  // Some extended codes say more than the primary one.
  switch (code) {
    case SQLITE_IOERR_NOMEM:
      return absl::StatusCode::kResourceExhausted;
    case SQLITE_IOERR_READ:
    case SQLITE_IOERR_SHORT_READ:
    case SQLITE_IOERR_DATA:
    case SQLITE_IOERR_CORRUPTFS:
      return absl::StatusCode::kDataLoss;
    default:
      break;
  }
  switch (primary) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
      return absl::StatusCode::kOk;
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
      return absl::StatusCode::kResourceExhausted;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::StatusCode::kDataLoss;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::StatusCode::kUnavailable;
    default:
      return absl::StatusCode::kInternal;
  }
}

// The last error of the system on a file of the database, 0 where there was none.
int LastError(sqlite3_file* file) {
  int error = 0;
  if (file == nullptr || file->pMethods == nullptr) return 0;
  file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &error);
  return error;
}

// What made a call fail with `code`, as far as SQLite knows: it keeps the errors of reading and
// writing with the file, those of opening with the connection. 0: unknown.
int SystemErrorBehind(sqlite3* database, int code) {
  if (database == nullptr) return 0;  // there was no memory for one
  if ((code & 0xFF) != SQLITE_IOERR) return sqlite3_system_errno(database);
  for (const int operation : {SQLITE_FCNTL_JOURNAL_POINTER, SQLITE_FCNTL_FILE_POINTER}) {
    sqlite3_file* file = nullptr;
    sqlite3_file_control(database, "main", operation, static_cast<void*>(&file));
    if (const int error = LastError(file); error != 0) return error;
  }
  return sqlite3_system_errno(database);
}

}  // namespace

absl::Status SqliteStatus(int code, int system_error) {
  const absl::StatusCode status = StatusCodeOf(code, system_error);
  if (status == absl::StatusCode::kOk) return absl::OkStatus();
  return absl::Status(status,
                      absl::StrCat("store: ", sqlite3_errstr(code), " (SQLite ", code, ")"));
}

SqliteStatement::SqliteStatement(SqliteStatement&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)),
      statement_(std::exchange(other.statement_, nullptr)),
      code_(other.code_),
      bound_(other.bound_) {}

SqliteStatement::~SqliteStatement() {
  if (statement_ != nullptr) connection_->GiveBack(statement_);
}

void SqliteStatement::Note(int code) {
  if (code_ == SQLITE_OK) code_ = code;
}

void SqliteStatement::BindNext(int64_t value) {
  Note(sqlite3_bind_int64(statement_, ++bound_, value));
}

void SqliteStatement::BindNext(absl::string_view text) {
  // A null pointer would be stored as NULL.
  Note(sqlite3_bind_text64(statement_, ++bound_, text.empty() ? "" : text.data(), text.size(),
                           SQLITE_STATIC, SQLITE_UTF8));
}

void SqliteStatement::BindNext(SqliteBlob blob) {
  Note(sqlite3_bind_blob64(statement_, ++bound_, blob.bytes.empty() ? "" : blob.bytes.data(),
                           blob.bytes.size(), SQLITE_STATIC));
}

void SqliteStatement::BindNext(SqliteNull) { Note(sqlite3_bind_null(statement_, ++bound_)); }

absl::StatusOr<bool> SqliteStatement::Step() {
  if (code_ != SQLITE_OK) return connection_->StatusOf(code_);
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return connection_->StatusOf(code);
}

absl::Status SqliteStatement::Run() {
  while (true) {
    MLP_ASSIGN_OR_RETURN(const bool row, Step());
    if (!row) return absl::OkStatus();
  }
}

int64_t SqliteStatement::Int(int column) const { return sqlite3_column_int64(statement_, column); }

absl::string_view SqliteStatement::Bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  return {data, static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
}

bool SqliteStatement::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

absl::StatusOr<std::unique_ptr<SqliteConnection>> SqliteConnection::Open(
    const std::string& path, absl::Duration busy_timeout) {
  sqlite3* database = nullptr;
  // No mutex of SQLite's own: the database class gives each connection to one thread at a time.
  const int flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path.c_str(), &database, flags, nullptr);
  // SQLite hands out an object even where opening failed.
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection(database));
  MLP_RETURN_IF_ERROR(connection->StatusOf(code));
  connection->busy_timeout_ms_ = static_cast<int>(absl::ToInt64Milliseconds(busy_timeout));
  MLP_RETURN_IF_ERROR(
      connection->StatusOf(sqlite3_busy_timeout(database, connection->busy_timeout_ms_)));
  sqlite3_wal_hook(database, NoteWalPages, connection.get());
  return connection;
}

SqliteConnection::~SqliteConnection() {
  for (const auto& [sql, statement] : idle_) sqlite3_finalize(statement);
  sqlite3_close(database_);
}

SqliteStatement SqliteConnection::Prepare(absl::string_view sql) {
  if (const auto found = idle_.find(sql); found != idle_.end()) {
    sqlite3_stmt* const statement = found->second;
    idle_.erase(found);
    return SqliteStatement(this, statement, SQLITE_OK);
  }
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  return SqliteStatement(this, statement, code);
}

void SqliteConnection::GiveBack(sqlite3_stmt* statement) {
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  // A second one of the same text, used while the first was, is not worth keeping.
  if (!idle_.emplace(sqlite3_sql(statement), statement).second) sqlite3_finalize(statement);
}

absl::Status SqliteConnection::Execute(const std::string& sql) {
  return StatusOf(sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr));
}

int SqliteConnection::NoteWalPages(void* self, sqlite3*, const char*, int pages) {
  static_cast<SqliteConnection*>(self)->wal_pages_ = pages;
  return SQLITE_OK;
}

absl::Status SqliteConnection::Checkpoint() {
  return StatusOf(
      sqlite3_wal_checkpoint_v2(database_, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr));
}

absl::Status SqliteConnection::TruncateWal() {
  sqlite3_busy_timeout(database_, 0);
  const absl::Status status = StatusOf(
      sqlite3_wal_checkpoint_v2(database_, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr));
  sqlite3_busy_timeout(database_, busy_timeout_ms_);
  if (status.ok()) wal_pages_ = 0;
  return status;
}

absl::Status SqliteConnection::StatusOf(int code) {
  if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC) {
    flush_failed_ = true;
    LeaveWalToRecovery();
  }
  return SqliteStatus(code, SystemErrorBehind(database_, code));
}

void SqliteConnection::LeaveWalToRecovery() {
  sqlite3_db_config(database_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

absl::StatusOr<int64_t> SqliteConnection::QueryInt(absl::string_view sql) {
  SqliteStatement statement = Prepare(sql);
  MLP_ASSIGN_OR_RETURN(const bool row, statement.Step());
  if (!row) return absl::InternalError("store: a query returned no row");
  return statement.Int(0);
}

int64_t SqliteConnection::last_insert_id() const { return sqlite3_last_insert_rowid(database_); }

int64_t SqliteConnection::changes() const { return sqlite3_changes64(database_); }

bool SqliteConnection::in_transaction() const { return sqlite3_get_autocommit(database_) == 0; }

bool SqliteConnection::read_only() const { return sqlite3_db_readonly(database_, "main") == 1; }

SqliteTransaction::~SqliteTransaction() {
  // Some errors end the transaction in SQLite already.
  if (connection_.in_transaction()) connection_.Prepare("ROLLBACK").Run().IgnoreError();
}

absl::Status SqliteTransaction::Begin(Kind kind) {
  return connection_.Prepare(kind == Kind::kWrite ? "BEGIN IMMEDIATE" : "BEGIN").Run();
}

absl::Status SqliteTransaction::Commit() { return connection_.Prepare("COMMIT").Run(); }

}  // namespace mlp

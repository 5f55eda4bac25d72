// One connection to an SQLite database: statements and transactions that clean up behind
// themselves, and SQLite's result codes as absl::Status. The only file of the store that calls
// SQLite's C API.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>

struct sqlite3;
struct sqlite3_stmt;

namespace mlp {

// RESOURCE_EXHAUSTED (disk or quota full, file too large, memory, files, a value too large),
// DATA_LOSS (the file is damaged or no database), UNAVAILABLE (busy beyond the time-out), INTERNAL
// else; OK for SQLITE_OK, SQLITE_ROW and SQLITE_DONE. `system_error` is the errno behind `code`, 0
// where none is known. The message names no path.
absl::Status SqliteStatus(int code, int system_error = 0);

// Marks bytes that are stored as they are; plain strings are stored as text.
struct SqliteBlob {
  absl::string_view bytes;
};

// NULL.
struct SqliteNull {};

class SqliteConnection;

// A prepared statement in use: bind, step, read columns. An error of preparing or binding is kept
// and returned by Step and Run. Thread-compatible; must not outlive its connection.
class SqliteStatement {
 public:
  SqliteStatement(SqliteStatement&& other) noexcept;
  SqliteStatement& operator=(SqliteStatement&&) = delete;
  ~SqliteStatement();

  // Binds all parameters in order. Text and blobs are not copied: they stay as they are until the
  // statement is destroyed.
  template <typename... Values>
  void Bind(const Values&... values) {
    (BindNext(values), ...);
  }

  // To the next row: true where there is one.
  absl::StatusOr<bool> Step();
  // To the end, without regard to rows.
  absl::Status Run();

  // Columns of the row, from 0. Views are valid until the next Step.
  int64_t Int(int column) const;
  absl::string_view Bytes(int column) const;
  bool IsNull(int column) const;

 private:
  friend class SqliteConnection;
  SqliteStatement(SqliteConnection* connection, sqlite3_stmt* statement, int code)
      : connection_(connection), statement_(statement), code_(code) {}

  void BindNext(int64_t value);
  void BindNext(absl::string_view text);
  void BindNext(SqliteBlob blob);
  void BindNext(SqliteNull);
  void Note(int code);

  SqliteConnection* connection_;  // null once moved from
  sqlite3_stmt* statement_;       // null where preparing failed
  int code_;                      // the first error
  int bound_ = 0;
};

// Thread-compatible: one thread at a time.
class SqliteConnection {
 public:
  // Opens `path`, or creates it. Locks that other processes hold (a backup, a shell) are waited for
  // up to `busy_timeout`. Errors as of SqliteStatus.
  static absl::StatusOr<std::unique_ptr<SqliteConnection>> Open(
      const std::string& path, absl::Duration busy_timeout = absl::Seconds(5));
  ~SqliteConnection();
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  // Prepares one statement, or takes the one that was prepared for the same text before.
  SqliteStatement Prepare(absl::string_view sql);
  // Runs one or more statements without parameters.
  absl::Status Execute(const std::string& sql);
  // The first column of the first row of a statement without parameters.
  absl::StatusOr<int64_t> QueryInt(absl::string_view sql);

  // The rowid of the last INSERT.
  int64_t last_insert_id() const;
  // Rows that the last INSERT, UPDATE or DELETE touched.
  int64_t changes() const;
  bool in_transaction() const;
  bool read_only() const;

  // Pages in the WAL after the last commit of this connection.
  int wal_pages() const { return wal_pages_; }
  // Copies the WAL into the database file, as far as nobody reads from it. SQLite does that by
  // itself only when the last connection closes, not after commits: there it hides what went wrong.
  absl::Status Checkpoint();
  // The same, and gives the log's space back to the file system. UNAVAILABLE at once where another
  // connection reads from the log, or copies it.
  absl::Status TruncateWal();
  // A flush has failed on this connection, once at least. The system may have dropped what it did
  // not write, and the next flush succeeds without it: nothing is certain but what was durable
  // before. From then on closing the connection leaves the WAL to recovery.
  bool flush_failed() const { return flush_failed_; }
  // Closing the connection copies nothing from then on.
  void LeaveWalToRecovery();

 private:
  friend class SqliteStatement;
  explicit SqliteConnection(sqlite3* database) : database_(database) {}
  static int NoteWalPages(void* self, sqlite3* database, const char* schema, int pages);
  // SqliteStatus of a code that a call on this connection returned.
  absl::Status StatusOf(int code);
  void GiveBack(sqlite3_stmt* statement);

  sqlite3* const database_;
  int busy_timeout_ms_ = 0;
  int wal_pages_ = 0;
  bool flush_failed_ = false;
  // Prepared and not in use now, by SQL text.
  absl::flat_hash_map<std::string, sqlite3_stmt*> idle_;
};

// A transaction: rolled back unless committed. Thread-compatible; its statements are destroyed
// before Commit.
class SqliteTransaction {
 public:
  enum class Kind {
    kRead,   // one unchanging view of the database
    kWrite,  // BEGIN IMMEDIATE: takes the write lock at once, so that it never fails half-way for
             // it
  };

  explicit SqliteTransaction(SqliteConnection& connection) : connection_(connection) {}
  ~SqliteTransaction();
  SqliteTransaction(const SqliteTransaction&) = delete;
  SqliteTransaction& operator=(const SqliteTransaction&) = delete;

  absl::Status Begin(Kind kind);
  absl::Status Commit();

 private:
  SqliteConnection& connection_;
};

}  // namespace mlp

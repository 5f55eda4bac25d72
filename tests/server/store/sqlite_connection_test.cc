#include "server/store/sqlite_connection.h"

#include <cerrno>
#include <filesystem>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "tests/server/store/temporary_folder.h"

namespace mlp {
namespace {

std::unique_ptr<SqliteConnection> OpenInMemory() {
  return SqliteConnection::Open(":memory:").value();
}

TEST(SqliteStatus, SaysWhatTheCallerCanDo) {
  const auto code = [](int result) { return SqliteStatus(result).code(); };
  EXPECT_TRUE(SqliteStatus(SQLITE_OK).ok());
  EXPECT_TRUE(SqliteStatus(SQLITE_ROW).ok());
  EXPECT_TRUE(SqliteStatus(SQLITE_DONE).ok());
  EXPECT_EQ(code(SQLITE_FULL), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(code(SQLITE_IOERR_WRITE), absl::StatusCode::kInternal);
  EXPECT_EQ(code(SQLITE_NOMEM), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(code(SQLITE_TOOBIG), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(code(SQLITE_CORRUPT), absl::StatusCode::kDataLoss);
  EXPECT_EQ(code(SQLITE_CORRUPT_INDEX), absl::StatusCode::kDataLoss);
  EXPECT_EQ(code(SQLITE_NOTADB), absl::StatusCode::kDataLoss);
  EXPECT_EQ(code(SQLITE_IOERR_READ), absl::StatusCode::kDataLoss);
  EXPECT_EQ(code(SQLITE_BUSY), absl::StatusCode::kUnavailable);
  EXPECT_EQ(code(SQLITE_BUSY_RECOVERY), absl::StatusCode::kUnavailable);
  EXPECT_EQ(code(SQLITE_IOERR_FSYNC), absl::StatusCode::kInternal);
  EXPECT_EQ(code(SQLITE_CONSTRAINT), absl::StatusCode::kInternal);
  EXPECT_EQ(code(SQLITE_CANTOPEN), absl::StatusCode::kInternal);
}

TEST(SqliteStatus, TellsAShortageFromABrokenDisk) {
  for (const int code : {SQLITE_IOERR_WRITE, SQLITE_IOERR_SHMSIZE, SQLITE_CANTOPEN}) {
    for (const int shortage : {ENOSPC, EDQUOT, EFBIG, EMFILE, ENFILE, ENOMEM}) {
      EXPECT_EQ(SqliteStatus(code, shortage).code(), absl::StatusCode::kResourceExhausted);
    }
    EXPECT_EQ(SqliteStatus(code, EIO).code(), absl::StatusCode::kInternal);
  }
  // An errno that is left from something else says nothing of these.
  EXPECT_EQ(SqliteStatus(SQLITE_CORRUPT, ENOSPC).code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(SqliteStatus(SQLITE_OK, ENOSPC).ok());
}

TEST(SqliteStatus, NamesNoPath) {
  const absl::Status status = SqliteConnection::Open("/nowhere/of/all/places/mlpd.db").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(status.message().find('/'), absl::string_view::npos) << status;
}

TEST(SqliteConnection, GivesTheSpaceOfTheLogBackWhereNobodyReadsFromIt) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.path() + "/some.db";
  const auto writer = SqliteConnection::Open(path).value();
  ASSERT_TRUE(writer->Execute("PRAGMA journal_mode = WAL; CREATE TABLE t (b BLOB)").ok());
  const auto reader = SqliteConnection::Open(path).value();
  {
    SqliteTransaction reading(*reader);
    ASSERT_TRUE(reading.Begin(SqliteTransaction::Kind::kRead).ok());
    ASSERT_TRUE(reader->QueryInt("SELECT count(*) FROM t").ok());
    ASSERT_TRUE(writer->Execute("INSERT INTO t VALUES (zeroblob(1000000))").ok());
    EXPECT_EQ(writer->TruncateWal().code(), absl::StatusCode::kUnavailable);
    EXPECT_GT(std::filesystem::file_size(path + "-wal"), 1'000'000u);
  }
  EXPECT_TRUE(writer->TruncateWal().ok());
  EXPECT_EQ(std::filesystem::file_size(path + "-wal"), 0u);
  EXPECT_EQ(writer->wal_pages(), 0);
}

TEST(SqliteStatement, GivesBackWhatWasBound) {
  const auto connection = OpenInMemory();
  const std::string text("a\0b", 3);
  const std::string blob("\0\xFF", 2);
  SqliteStatement select = connection->Prepare("SELECT ?1, ?2, ?3, ?4, ?5, typeof(?5), typeof(?6)");
  select.Bind(int64_t{-5}, text, SqliteBlob{blob}, SqliteNull(), "", SqliteBlob{""});
  ASSERT_TRUE(select.Step().value());
  EXPECT_EQ(select.Int(0), -5);
  EXPECT_EQ(select.Bytes(1), text);
  EXPECT_EQ(select.Bytes(2), blob);
  EXPECT_TRUE(select.IsNull(3));
  // Empty is not NULL.
  EXPECT_FALSE(select.IsNull(4));
  EXPECT_EQ(select.Bytes(5), "text");
  EXPECT_EQ(select.Bytes(6), "blob");
  EXPECT_FALSE(select.Step().value());
}

TEST(SqliteStatement, KeepsTheErrorOfPreparingAndBinding) {
  const auto connection = OpenInMemory();
  SqliteStatement broken = connection->Prepare("SELECT FROM WHERE");
  broken.Bind(int64_t{1});
  EXPECT_EQ(broken.Step().status().code(), absl::StatusCode::kInternal);
  SqliteStatement too_many = connection->Prepare("SELECT ?1");
  too_many.Bind(int64_t{1}, int64_t{2});
  EXPECT_EQ(too_many.Run().code(), absl::StatusCode::kInternal);
}

TEST(SqliteStatement, IsCleanWhenItIsUsedAgain) {
  const auto connection = OpenInMemory();
  {
    SqliteStatement first = connection->Prepare("SELECT ?1");
    first.Bind(int64_t{7});
    ASSERT_TRUE(first.Step().value());
    // Two of one text at the same time do not disturb each other.
    SqliteStatement second = connection->Prepare("SELECT ?1");
    second.Bind(int64_t{8});
    ASSERT_TRUE(second.Step().value());
    EXPECT_EQ(first.Int(0), 7);
    EXPECT_EQ(second.Int(0), 8);
  }
  SqliteStatement again = connection->Prepare("SELECT ?1");
  ASSERT_TRUE(again.Step().value());
  EXPECT_TRUE(again.IsNull(0));
}

TEST(SqliteTransaction, IsRolledBackUnlessCommitted) {
  const auto connection = OpenInMemory();
  ASSERT_TRUE(connection->Execute("CREATE TABLE t (x)").ok());
  {
    SqliteTransaction transaction(*connection);
    ASSERT_TRUE(transaction.Begin(SqliteTransaction::Kind::kWrite).ok());
    ASSERT_TRUE(connection->Execute("INSERT INTO t VALUES (1)").ok());
    EXPECT_EQ(connection->QueryInt("SELECT count(*) FROM t").value(), 1);
  }
  EXPECT_FALSE(connection->in_transaction());
  EXPECT_EQ(connection->QueryInt("SELECT count(*) FROM t").value(), 0);
  {
    SqliteTransaction transaction(*connection);
    ASSERT_TRUE(transaction.Begin(SqliteTransaction::Kind::kWrite).ok());
    ASSERT_TRUE(connection->Execute("INSERT INTO t VALUES (1)").ok());
    ASSERT_TRUE(transaction.Commit().ok());
  }
  EXPECT_EQ(connection->QueryInt("SELECT count(*) FROM t").value(), 1);
}

TEST(SqliteTransaction, IsUnavailableWhereAnotherOneWritesForLong) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.path() + "/busy.db";
  const auto first = SqliteConnection::Open(path).value();
  ASSERT_TRUE(first->Execute("PRAGMA journal_mode = WAL; CREATE TABLE t (x)").ok());
  const auto second = SqliteConnection::Open(path, absl::Milliseconds(1)).value();
  SqliteTransaction writer(*first);
  ASSERT_TRUE(writer.Begin(SqliteTransaction::Kind::kWrite).ok());
  ASSERT_TRUE(first->Execute("INSERT INTO t VALUES (1)").ok());

  SqliteTransaction other(*second);
  EXPECT_EQ(other.Begin(SqliteTransaction::Kind::kWrite).code(), absl::StatusCode::kUnavailable);
  // A reader does not wait, and sees what was committed.
  EXPECT_EQ(second->QueryInt("SELECT count(*) FROM t").value(), 0);
  ASSERT_TRUE(writer.Commit().ok());
  EXPECT_TRUE(other.Begin(SqliteTransaction::Kind::kWrite).ok());
}

TEST(SqliteConnection, RefusesAQueryWithoutRow) {
  const auto connection = OpenInMemory();
  EXPECT_FALSE(connection->QueryInt("SELECT 1 WHERE 0").ok());
}

}  // namespace
}  // namespace mlp

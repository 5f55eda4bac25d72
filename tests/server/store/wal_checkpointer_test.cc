#include "server/store/wal_checkpointer.h"

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "tests/server/store/store_contract.h"
#include "tests/server/store/temporary_folder.h"

namespace mlp::testing {
namespace {

class WalCheckpointerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(writer_->Execute("PRAGMA journal_mode = WAL; CREATE TABLE pieces (bytes BLOB)"),
                IsOk());
    checkpointer_ = WalCheckpointer::Start(path_).value();
    checkpointer_->RequestAndWait();
  }
  uintmax_t DatabaseBytes() const { return std::filesystem::file_size(path_); }
  void Insert(int bytes) {
    SqliteStatement insert = writer_->Prepare("INSERT INTO pieces VALUES (zeroblob(?1))");
    insert.Bind(bytes);
    ASSERT_THAT(insert.Run(), IsOk());
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_.path() + "/some.db";
  std::unique_ptr<SqliteConnection> writer_ = SqliteConnection::Open(path_).value();
  std::unique_ptr<WalCheckpointer> checkpointer_;
};

TEST_F(WalCheckpointerTest, BringsTheLogIntoTheDatabaseSoThatItBeginsAnew) {
  Insert(1 << 20);
  EXPECT_LT(DatabaseBytes(), uintmax_t{1} << 20);
  EXPECT_GT(writer_->wal_pages(), 250);
  checkpointer_->RequestAndWait();
  EXPECT_GT(DatabaseBytes(), uintmax_t{1} << 20);
  Insert(1);
  EXPECT_LT(writer_->wal_pages(), 10);
}

TEST_F(WalCheckpointerTest, AWaitIsForWhatWasCommittedBeforeIt) {
  for (int piece = 1; piece <= 20; ++piece) {
    Insert(1 << 20);
    checkpointer_->Request();  // the next one may still run when the next piece is committed
    if (piece % 5 != 0) continue;
    checkpointer_->RequestAndWait();
    EXPECT_GT(DatabaseBytes(), static_cast<uintmax_t>(piece) << 20);
  }
  EXPECT_FALSE(checkpointer_->flush_failed());
}

TEST_F(WalCheckpointerTest, StopsWithRequestsOpenAndMoreThanOnce) {
  Insert(1 << 20);
  for (int i = 0; i < 100; ++i) checkpointer_->Request();
  checkpointer_->Stop();
  checkpointer_->Stop();
  Insert(1);
}

}  // namespace
}  // namespace mlp::testing

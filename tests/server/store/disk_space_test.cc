#include "server/store/disk_space.h"

#include <filesystem>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "tests/server/store/temporary_folder.h"

namespace mlp {
namespace {

class DiskSpaceTest : public ::testing::Test {
 protected:
  absl::Status Check(int64_t bytes) { return CheckDiskSpace(*connection_, path_, bytes); }
  int64_t FreeBytes() const {
    return static_cast<int64_t>(std::filesystem::space(folder_.path()).available);
  }

  testing::TemporaryFolder folder_;
  const std::string path_ = folder_.path() + "/mlpd.db";
  const std::unique_ptr<SqliteConnection> connection_ = SqliteConnection::Open(path_).value();
};

TEST_F(DiskSpaceTest, IsThereForALittle) { EXPECT_TRUE(Check(1000).ok()); }

TEST_F(DiskSpaceTest, IsNotThereForMoreThanTheDiskHas) {
  const absl::Status status = Check(FreeBytes());
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_NE(status.message().find("full"), absl::string_view::npos) << status;
}

// Once in the log and once in the database file.
TEST_F(DiskSpaceTest, IsNeededTwice) { EXPECT_FALSE(Check(FreeBytes() / 10 * 6).ok()); }

TEST_F(DiskSpaceTest, OfDeletedRowsIsUsedAgain) {
  const auto needed = [&] {
    const std::string text(Check(int64_t{1} << 60).message());
    return std::stoll(text.substr(text.find("expected ") + 9));
  };
  ASSERT_TRUE(connection_->Execute("CREATE TABLE t (b BLOB)").ok());
  const int64_t before = needed();
  ASSERT_TRUE(connection_->Execute("INSERT INTO t VALUES (zeroblob(8000000)); DELETE FROM t").ok());
  EXPECT_LT(needed(), before - 7'900'000);
}

}  // namespace
}  // namespace mlp

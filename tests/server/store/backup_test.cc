// Backup, restoration and verification.
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <absl/strings/str_cat.h>

#include "server/store/restore_backup.h"
#include "server/store/sqlite_connection.h"
#include "server/store/sqlite_store.h"
#include "server/store/verify_store.h"
#include "tests/server/store/store_contract.h"
#include "tests/server/store/temporary_folder.h"

namespace mlp::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class BackupTest : public ::testing::Test {
 protected:
  BackupTest() : store_(OpenSqliteStore(folder_.path() + "/data", clock_).value()) {
    const v1::DatasetHeader header = MakeHeader("blobs", 300, 5);
    EXPECT_THAT(Upload(*store_, header, MakeRows(header, 1)), IsOk());
    for (const char* artifact : {"first artifact", "second artifact"}) {
      NewVersion made;
      made.version.set_model("digits");
      made.artifact = artifact;
      made.aliases = {"serving"};
      EXPECT_THAT(store_->ImportVersion(made), IsOk());
    }
  }

  std::string WriteBackup() {
    const std::string path = folder_.path() + "/backup.db";
    const auto backup = store_->Backup().value();
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    int64_t size = 0;
    while (true) {
      const std::string bytes = backup->Read(10'000).value();
      if (bytes.empty()) break;
      size += static_cast<int64_t>(bytes.size());
      file << bytes;
    }
    EXPECT_EQ(size, backup->size());
    return path;
  }

  absl::StatusOr<VerifiedStore> Restore(const std::string& backup) {
    return RestoreBackup(backup, restored(), clock_);
  }
  std::string restored() const { return folder_.path() + "/restored"; }

  static std::vector<std::string> DamagedItems(Store& store) {
    std::vector<std::string> items;
    EXPECT_THAT(VerifyStore(store,
                            [&items](const StoreDamage& damage) {
                              items.push_back(damage.item);
                              return absl::OkStatus();
                            }),
                IsOk());
    return items;
  }

  TemporaryFolder folder_;
  FakeClock clock_;
  std::unique_ptr<Store> store_;
};

TEST_F(BackupTest, BringsBackEverythingUpToItsMoment) {
  const std::string backup = WriteBackup();
  EXPECT_THAT(store_->DeleteDataset("blobs"), IsOk());
  const VerifiedStore verified = Restore(backup).value();
  EXPECT_EQ(verified.datasets, 1);
  EXPECT_EQ(verified.versions, 2);
  EXPECT_EQ(verified.damaged, 0);
  const auto store = OpenSqliteStore(restored(), clock_).value();
  EXPECT_EQ(store->ReadDataset("blobs").value().rows(), 300);
  EXPECT_EQ(store->ReadArtifact("digits", 1).value(), "first artifact");
  EXPECT_EQ(store->GetAliasedVersion("digits", "serving").value().version(), 2);
  // Numbers go on from there.
  NewVersion made;
  made.version.set_model("digits");
  EXPECT_EQ(store->ImportVersion(made).value().version(), 3);
}

TEST_F(BackupTest, OneAtATimeAndWritersGoOn) {
  auto backup = store_->Backup().value();
  EXPECT_THAT(store_->Backup(), HasStatus(absl::StatusCode::kResourceExhausted, "another"));
  NewVersion made;
  made.version.set_model("digits");
  EXPECT_THAT(store_->ImportVersion(made), IsOk());
  // Outlives the store.
  store_.reset();
  EXPECT_FALSE(backup->Read(100).value().empty());
  backup.reset();
  store_ = OpenSqliteStore(folder_.path() + "/data", clock_).value();
  EXPECT_THAT(store_->Backup(), IsOk());
  // It has no name from the start: nothing is left whatever happens.
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path() + "/data")) {
    EXPECT_EQ(entry.path().filename().string().rfind("mlpd.", 0), 0u) << entry.path();
  }
}

// Whoever writes meanwhile would lose what they wrote.
TEST_F(BackupTest, WritesToNoFileOfTheDatabase) {
  const std::string database = folder_.path() + "/data/mlpd.db";
  const auto long_ago = std::filesystem::last_write_time(database) - std::chrono::hours(1);
  for (const std::string& file : {database, database + "-wal"}) {
    std::filesystem::last_write_time(file, long_ago);
  }
  EXPECT_THAT(store_->Backup(), IsOk());
  EXPECT_EQ(std::filesystem::last_write_time(database), long_ago);
  EXPECT_EQ(std::filesystem::last_write_time(database + "-wal"), long_ago);
}

TEST_F(BackupTest, WhatIsStoredDuringBackupsIsUndamaged) {
  std::atomic<bool> done = false;
  std::thread backups([&] {
    while (!done) EXPECT_THAT(store_->Backup(), IsOk());
  });
  const v1::DatasetHeader header = MakeHeader("", 2000, 784);
  const Rows rows = MakeRows(header, 1);
  for (int i = 0; i < 30; ++i) {
    v1::DatasetHeader named = header;
    named.set_name(absl::StrCat("during-", i));
    EXPECT_THAT(Upload(*store_, named, rows), IsOk());
  }
  done = true;
  backups.join();
  for (int opened = 0; opened < 2; ++opened) {
    EXPECT_THAT(store_->CheckStructure(), IsOk());
    for (int i = 0; i < 30; ++i) {
      EXPECT_THAT(store_->ReadDataset(absl::StrCat("during-", i)), IsOk()) << i;
    }
    store_.reset();
    store_ = OpenSqliteStore(folder_.path() + "/data", clock_).value();
  }
}

TEST_F(BackupTest, RestoresIntoAFolderWithoutADatabaseAlone) {
  const std::string backup = WriteBackup();
  ASSERT_THAT(Restore(backup), IsOk());
  EXPECT_THAT(Restore(backup), HasStatus(absl::StatusCode::kFailedPrecondition, "already"));
  EXPECT_THAT(RestoreBackup(backup, folder_.path() + "/data", clock_),
              HasStatus(absl::StatusCode::kFailedPrecondition, "in use"));
}

TEST_F(BackupTest, RestoresNothingOfADamagedFile) {
  const std::string backup = WriteBackup();
  const auto size = static_cast<int64_t>(std::filesystem::file_size(backup));
  std::filesystem::resize_file(backup, static_cast<uintmax_t>(size - 1));
  EXPECT_THAT(Restore(backup), HasStatus(absl::StatusCode::kDataLoss, "damaged"));
  EXPECT_FALSE(std::filesystem::exists(restored() + "/mlpd.db"));
  std::filesystem::resize_file(backup, static_cast<uintmax_t>(size / 2));
  EXPECT_THAT(Restore(backup), HasStatus(absl::StatusCode::kFailedPrecondition, "not a database"));
  EXPECT_FALSE(std::filesystem::exists(restored() + "/mlpd.db"));
  std::ofstream(backup, std::ios::trunc) << "no database at all, whatever it may be called";
  EXPECT_THAT(Restore(backup), HasStatus(absl::StatusCode::kFailedPrecondition, "not a database"));
  std::ofstream(backup, std::ios::trunc).flush();
  EXPECT_THAT(Restore(backup), HasStatus(absl::StatusCode::kFailedPrecondition, "is empty"));
  EXPECT_THAT(Restore(folder_.path() + "/nowhere"), HasStatus(absl::StatusCode::kNotFound, ""));
  EXPECT_FALSE(std::filesystem::exists(restored() + "/mlpd.db"));
  EXPECT_FALSE(std::filesystem::exists(restored() + "/restoring"));
}

TEST_F(BackupTest, VerificationNamesWhatIsDamaged) {
  EXPECT_THAT(DamagedItems(*store_), IsEmpty());
  store_.reset();
  {
    const auto connection = SqliteConnection::Open(folder_.path() + "/data/mlpd.db").value();
    ASSERT_THAT(
        connection->Execute("UPDATE artifact_pieces SET bytes = x'00' || substr(bytes, 2) "
                            "WHERE version_id = 1;"
                            "UPDATE dataset_pieces SET features = zeroblob(length(features))"),
        IsOk());
  }
  store_ = OpenSqliteStore(folder_.path() + "/data", clock_).value();
  EXPECT_THAT(DamagedItems(*store_), ElementsAre("dataset blobs", "model digits version 1"));
  // What is sound stays usable, and a copy of the damage is no backup.
  EXPECT_EQ(store_->ReadArtifact("digits", 2).value(), "second artifact");
  EXPECT_THAT(Restore(WriteBackup()), HasStatus(absl::StatusCode::kDataLoss, "dataset blobs"));
}

}  // namespace
}  // namespace mlp::testing

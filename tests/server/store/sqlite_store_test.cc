// The contract on SQLite, and what is SQLite's own: opening, locking, leaving files behind.
#include "server/store/sqlite_store.h"

#include <filesystem>
#include <fstream>
#include <utility>

#include <absl/strings/str_cat.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/store/sqlite_connection.h"
#include "tests/server/store/old_schema.h"
#include "tests/server/store/store_contract.h"
#include "tests/server/store/temporary_folder.h"

namespace mlp::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class SqlitePlace final : public StorePlace {
 public:
  std::unique_ptr<Store> Open(const Clock& clock) override {
    return OpenSqliteStore(folder_.path() + "/data", clock).value();
  }

 private:
  TemporaryFolder folder_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContract,
                         ::testing::Values(+[]() -> std::unique_ptr<StorePlace> {
                           return std::make_unique<SqlitePlace>();
                         }));

// Tests that open the folder themselves.
class SqliteStoreTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<Store>> Open() { return OpenSqliteStore(data_dir(), clock_); }
  std::string data_dir() const { return folder_.path() + "/data"; }
  std::string database() const { return data_dir() + "/mlpd.db"; }

  void WriteDatabase(const std::string& sql) {
    std::filesystem::create_directory(data_dir());
    ASSERT_THAT(SqliteConnection::Open(database()).value()->Execute(sql), IsOk());
  }

  FakeClock clock_;
  TemporaryFolder folder_;
};

mode_t ModeOf(const std::string& path) {
  struct stat status = {};
  EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 0777;
}

TEST_F(SqliteStoreTest, MakesTheFolderForItsOwnerAlone) {
  const auto store = Open().value();
  EXPECT_EQ(ModeOf(data_dir()), 0700);
  EXPECT_EQ(ModeOf(database()), 0600);
  EXPECT_EQ(ModeOf(database() + "-wal"), 0600);
}

TEST_F(SqliteStoreTest, MarksTheDatabaseAsIts) {
  Open().value().reset();
  const auto connection = SqliteConnection::Open(database()).value();
  EXPECT_EQ(connection->QueryInt("PRAGMA application_id").value(), 0x6D6C7064);
  EXPECT_EQ(connection->QueryInt("PRAGMA user_version").value(), 6);
}

TEST_F(SqliteStoreTest, RefusesAFolderInUse) {
  const auto store = Open().value();
  EXPECT_THAT(Open(), HasStatus(absl::StatusCode::kFailedPrecondition,
                                absl::StrCat("in use by process ", getpid())));
  // The refused one did not harm the first.
  EXPECT_THAT(store->CountJobs(), IsOk());
  EXPECT_THAT(Open(), HasStatus(absl::StatusCode::kFailedPrecondition, "in use"));
}

TEST_F(SqliteStoreTest, TakesAFolderThatWasClosed) {
  Open().value().reset();
  EXPECT_THAT(Open(), IsOk());
}

TEST_F(SqliteStoreTest, RefusesTheDatabaseOfAnotherApplication) {
  WriteDatabase("CREATE TABLE notes (text); INSERT INTO notes VALUES ('mine')");
  EXPECT_THAT(Open(), HasStatus(absl::StatusCode::kFailedPrecondition, "another application"));
  // It is as it was, not turned into a WAL database either.
  const auto connection = SqliteConnection::Open(database()).value();
  EXPECT_EQ(connection->QueryInt("SELECT count(*) FROM sqlite_schema").value(), 1);
  SqliteStatement mode = connection->Prepare("PRAGMA journal_mode");
  ASSERT_TRUE(mode.Step().value());
  EXPECT_EQ(mode.Bytes(0), "delete");
}

TEST_F(SqliteStoreTest, RefusesAForeignApplicationId) {
  WriteDatabase("PRAGMA application_id = 1234");
  EXPECT_THAT(Open(), HasStatus(absl::StatusCode::kFailedPrecondition, "another application"));
}

TEST_F(SqliteStoreTest, RefusesAFileThatIsNoDatabase) {
  std::filesystem::create_directory(data_dir());
  std::ofstream(database()) << std::string(10'000, 'x');
  EXPECT_THAT(Open(), HasStatus(absl::StatusCode::kFailedPrecondition, "not a database"));
}

TEST_F(SqliteStoreTest, RefusesANewerSchema) {
  Open().value().reset();
  WriteDatabase("PRAGMA user_version = 7");
  EXPECT_THAT(Open(),
              HasStatus(absl::StatusCode::kFailedPrecondition, "expected a schema up to 6, got 7"));
}

TEST_F(SqliteStoreTest, CountsTheBytesOfADatabaseThatDidNotCountThem) {
  const v1::DatasetHeader header = MakeHeader("data", 5, 4);
  NewVersion made;
  made.version.set_model("m");
  made.artifact = "123456789";
  {
    const auto store = Open().value();
    ASSERT_THAT(Upload(*store, header, MakeRows(header, 1)), IsOk());
    ASSERT_THAT(store->ImportVersion(made), IsOk());
  }
  WriteDatabase(absl::StrCat(kDropStoredBytes, "PRAGMA user_version = 5"));
  const auto store = Open().value();
  store->SetQuotas({.bytes = 50});
  EXPECT_THAT(store->ImportVersion(made), HasStatus(absl::StatusCode::kResourceExhausted, "49 of"));
}

TEST_F(SqliteStoreTest, DoesNotMakeTheParentOfTheFolder) {
  const absl::Status status = OpenSqliteStore(folder_.path() + "/missing/data", clock_).status();
  EXPECT_THAT(status, HasStatus(absl::StatusCode::kNotFound, "parent is missing"));
  EXPECT_THAT(status.ToString(), Not(HasSubstr("/")));
}

TEST_F(SqliteStoreTest, RefusesAFileInPlaceOfTheFolder) {
  std::ofstream(data_dir()) << "x";
  const absl::Status status = Open().status();
  EXPECT_THAT(status, HasStatus(absl::StatusCode::kInternal, "data folder"));
  EXPECT_THAT(status.ToString(), Not(HasSubstr("/")));
}

// Root may write anywhere, so the test gives that up while it opens the store.
class WithoutPrivileges {
 public:
  WithoutPrivileges() {
    if (user_ == 0) {
      EXPECT_EQ(seteuid(65534), 0);
    }
  }
  ~WithoutPrivileges() { EXPECT_EQ(seteuid(user_), 0); }

 private:
  const uid_t user_ = geteuid();
};

TEST_F(SqliteStoreTest, RefusesAFolderThatCannotBeWrittenTo) {
  ASSERT_EQ(chmod(folder_.path().c_str(), 0555), 0);
  std::filesystem::path existing = folder_.path();
  {
    const WithoutPrivileges guard;
    EXPECT_THAT(Open(), HasStatus(absl::StatusCode::kInternal, "cannot be made"));
    EXPECT_THAT(OpenSqliteStore(existing, clock_),
                HasStatus(absl::StatusCode::kInternal, "lock file cannot be opened"));
  }
  ASSERT_EQ(chmod(folder_.path().c_str(), 0700), 0);
}

TEST_F(SqliteStoreTest, ClearsAtOnceWhatNobodyNeedsAnyMore) {
  const auto store = Open().value();
  const auto connection = SqliteConnection::Open(database()).value();
  const auto pieces = [&](const std::string& table) {
    return connection->QueryInt(absl::StrCat("SELECT count(*) FROM ", table)).value();
  };
  const v1::DatasetHeader header = MakeHeader("digits", 30'000, 784);
  const Rows rows = MakeRows(header, 1);
  {
    const auto upload = store->BeginDatasetUpload(header).value();
    ASSERT_THAT(upload->Append({rows.features, rows.labels}), IsOk());
    EXPECT_GT(pieces("dataset_pieces"), 16);
  }
  EXPECT_EQ(pieces("dataset_pieces"), 0);
  EXPECT_EQ(pieces("datasets"), 0);

  ASSERT_THAT(Upload(*store, header, rows), IsOk());
  for (int i = 0; i < 2; ++i) {
    v1::TrainingJob job;
    job.set_model("model");
    job.set_dataset("digits");
    job = store->CreateJob(job, "", 10).value();
    job.set_state(v1::JOB_STATE_RUNNING);
    ASSERT_THAT(store->UpdateJob(job, v1::JOB_STATE_QUEUED), IsOk());
    job.set_state(v1::JOB_STATE_SUCCEEDED);
    NewVersion version;
    version.version.set_model("model");
    version.artifact.resize(20'000'000);
    ASSERT_THAT(store->PublishVersion(std::move(version), job), IsOk());
  }
  ASSERT_THAT(store->DeleteDataset("digits"), IsOk());
  EXPECT_EQ(pieces("dataset_pieces"), 0);
  const int64_t both = pieces("artifact_pieces");
  ASSERT_THAT(store->DeleteVersion("model", 1), IsOk());
  EXPECT_EQ(pieces("artifact_pieces"), both / 2);
  ASSERT_THAT(store->DeleteModel("model"), IsOk());
  EXPECT_EQ(pieces("artifact_pieces"), 0);
  EXPECT_EQ(pieces("versions"), 0);
}

TEST_F(SqliteStoreTest, ReusesTheSpaceOfDeletedDatasets) {
  const auto store = Open().value();
  const v1::DatasetHeader header = MakeHeader("digits", 20'000, 784);
  const Rows rows = MakeRows(header, 1);
  ASSERT_THAT(Upload(*store, header, rows), IsOk());
  uintmax_t size = 0;
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(store->DeleteDataset("digits"), IsOk());
    ASSERT_THAT(Upload(*store, header, rows), IsOk());
    if (i == 0) size = std::filesystem::file_size(database());
  }
  EXPECT_LE(std::filesystem::file_size(database()), size + size / 10);
}

TEST_F(SqliteStoreTest, KeepsItsLogShortDuringAnUpload) {
  const auto store = Open().value();
  const v1::DatasetHeader header = MakeHeader("digits", 60'000, 784);
  const Rows rows = MakeRows(header, 1);
  const auto upload = store->BeginDatasetUpload(header).value();
  uintmax_t longest = 0;
  for (size_t row = 0; row < 60'000; row += 1000) {
    ASSERT_THAT(upload->Append({absl::string_view(rows.features).substr(row * 784, 784'000),
                                absl::MakeConstSpan(rows.labels).subspan(row, 1000)}),
                IsOk());
    longest = std::max(longest, std::filesystem::file_size(database() + "-wal"));
  }
  ASSERT_THAT(upload->Commit(Describe(header, rows)), IsOk());
  EXPECT_LE(longest, uintmax_t{34} << 20);  // what writers wait at, and a piece
  EXPECT_TRUE(store->ReadDataset("digits").value().features == rows.features);
}

}  // namespace
}  // namespace mlp::testing

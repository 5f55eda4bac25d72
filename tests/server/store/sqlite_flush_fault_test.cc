// The store on SQLite when the disk cannot keep what it was given: a flush fails once, and the next
// one would succeed without what the system has dropped meanwhile.
#include <atomic>
#include <cerrno>

#include <sys/syscall.h>
#include <unistd.h>

#include "server/store/sqlite_database.h"
#include "server/store/sqlite_store.h"
#include "tests/server/store/store_contract.h"
#include "tests/server/store/temporary_folder.h"

namespace {

std::atomic<int> flushes_to_fail{0};

int Flush(long number, int file) {
  if (flushes_to_fail == 0) return static_cast<int>(syscall(number, file));
  --flushes_to_fail;
  errno = EIO;
  return -1;
}

}  // namespace

// In the place of the C library's, for SQLite and for us.
extern "C" int fsync(int file) { return Flush(SYS_fsync, file); }
extern "C" int fdatasync(int file) { return Flush(SYS_fdatasync, file); }

namespace mlp::testing {
namespace {

class FailingFlushes {
 public:
  // The next `count` of them.
  explicit FailingFlushes(int count) { flushes_to_fail = count; }
  ~FailingFlushes() { flushes_to_fail = 0; }
};

class SqliteFlushFaultTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<Store>> Open() {
    return OpenSqliteStore(folder_.path() + "/data", clock_);
  }
  absl::Status Upload(Store& store, const std::string& name) {
    const v1::DatasetHeader header = MakeHeader(name, 5, 4);
    return mlp::testing::Upload(store, header, MakeRows(header, 1)).status();
  }

  FakeClock clock_;
  TemporaryFolder folder_;
};

TEST_F(SqliteFlushFaultTest, AfterAFailedFlushNothingIsStoredUntilTheStoreIsOpenedAgain) {
  {
    const auto store = Open().value();
    ASSERT_THAT(Upload(*store, "before"), IsOk());
    {
      const FailingFlushes failing(1);
      EXPECT_THAT(Upload(*store, "data"), HasStatus(absl::StatusCode::kInternal, ""));
    }
    EXPECT_THAT(Upload(*store, "after"), HasStatus(absl::StatusCode::kInternal, "restarted"));
    // Reading goes on.
    EXPECT_THAT(store->ReadDataset("before"), IsOk());
    EXPECT_THAT(store->GetDataset("data"), HasStatus(absl::StatusCode::kNotFound, ""));
  }
  const auto store = Open().value();
  EXPECT_THAT(store->ReadDataset("before"), IsOk());
  EXPECT_THAT(Upload(*store, "after"), IsOk());
}

TEST_F(SqliteFlushFaultTest, AFlushThatFailsInTheBackgroundCountsToo) {
  const auto store = Open().value();
  const v1::DatasetHeader header = MakeHeader("data", 30'000, 784);  // 22 pieces, more than a log
  const Rows rows = MakeRows(header, 1);
  const auto upload = store->BeginDatasetUpload(header).value();
  {
    const FailingFlushes failing(1);
    upload->Append({rows.features, rows.labels}).IgnoreError();
  }
  EXPECT_FALSE(upload->Commit(Describe(header, rows)).ok());
  EXPECT_THAT(Upload(*store, "other"), HasStatus(absl::StatusCode::kInternal, "restarted"));
}

TEST_F(SqliteFlushFaultTest, AFolderThatCannotBeFlushedIsNotTakenForDurableLater) {
  const FailingFlushes failing(2);
  EXPECT_THAT(Open(), HasStatus(absl::StatusCode::kInternal, "cannot be made durable"));
  EXPECT_THAT(Open(), HasStatus(absl::StatusCode::kInternal, "cannot be made durable"));
}

// The very first flush is of giving it one; those after it succeed.
TEST_F(SqliteFlushFaultTest, ADatabaseThatCannotBeGivenALogIsNotOpened) {
  const FailingFlushes failing(1);
  EXPECT_THAT(SqliteDatabase::Open(folder_.path() + "/mlpd.db").status(),
              HasStatus(absl::StatusCode::kInternal, ""));
}

}  // namespace
}  // namespace mlp::testing

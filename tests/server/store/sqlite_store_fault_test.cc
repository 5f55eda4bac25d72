// The store on SQLite when bytes rot, the disk fills up and the process is killed.
#include <filesystem>
#include <functional>
#include <utility>

#include <absl/strings/str_cat.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/store/sqlite_connection.h"
#include "server/store/sqlite_store.h"
#include "tests/server/store/old_schema.h"
#include "tests/server/store/store_contract.h"
#include "tests/server/store/temporary_folder.h"

namespace mlp::testing {
namespace {

class SqliteStoreFaultTest : public ::testing::Test {
 protected:
  std::unique_ptr<Store> Open() { return OpenSqliteStore(folder_.path(), clock_).value(); }

  // Opens the database beside or without the store.
  std::unique_ptr<SqliteConnection> OpenDatabase() {
    return SqliteConnection::Open(folder_.path() + "/mlpd.db").value();
  }

  // Flips one bit in the middle of a value.
  void Damage(const std::string& table, const std::string& column, const std::string& where) {
    const auto connection = OpenDatabase();
    int64_t row = 0;
    std::string bytes;
    {
      SqliteStatement select = connection->Prepare(
          absl::StrCat("SELECT rowid, ", column, " FROM ", table, " WHERE ", where, " LIMIT 1"));
      ASSERT_TRUE(select.Step().value());
      row = select.Int(0);
      bytes = std::string(select.Bytes(1));
    }
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x10);
    SqliteStatement update = connection->Prepare(
        absl::StrCat("UPDATE ", table, " SET ", column, " = ?1 WHERE rowid = ?2"));
    update.Bind(SqliteBlob{bytes}, row);
    ASSERT_THAT(update.Run(), IsOk());
  }

  int64_t Count(const std::string& table) {
    return OpenDatabase()->QueryInt(absl::StrCat("SELECT count(*) FROM ", table)).value();
  }

  // Runs `body` in a process of its own that is then killed, as a crash would end it.
  void RunAndCrash(const std::function<void(Store&)>& body) {
    const pid_t child = fork();
    if (child == 0) {
      const std::unique_ptr<Store> store = Open();
      body(*store);
      kill(getpid(), SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    // A body that fails ends its process in another way.
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  }

  FakeClock clock_;
  TemporaryFolder folder_;
};

v1::TrainingJob RunningJob(Store& store) {
  const v1::DatasetHeader header = MakeHeader("data", 5, 4);
  if (!store.GetDataset("data").ok()) Upload(store, header, MakeRows(header, 1)).value();
  v1::TrainingJob job;
  job.set_model("digits");
  job.set_dataset("data");
  job = store.CreateJob(job, "", 100).value();
  job.set_state(v1::JOB_STATE_RUNNING);
  EXPECT_THAT(store.UpdateJob(job, v1::JOB_STATE_QUEUED), IsOk());
  return job;
}

absl::StatusOr<v1::ModelVersion> Publish(Store& store, const std::string& artifact) {
  v1::TrainingJob job = RunningJob(store);
  job.set_state(v1::JOB_STATE_SUCCEEDED);
  NewVersion version;
  version.version.set_model("digits");
  version.artifact = artifact;
  return store.PublishVersion(std::move(version), std::move(job));
}

TEST_F(SqliteStoreFaultTest, DamagedRowsAreDataLossOfTheirDatasetAlone) {
  const auto store = Open();
  for (const char* name : {"bad", "good"}) {
    const v1::DatasetHeader header = MakeHeader(name, 3000, 784);
    ASSERT_THAT(Upload(*store, header, MakeRows(header, 1)), IsOk());
  }
  Damage("dataset_pieces", "features", "dataset_id = 1 AND first_row > 0");
  EXPECT_THAT(store->ReadDataset("bad"), HasStatus(absl::StatusCode::kDataLoss, "dataset bad"));
  EXPECT_THAT(store->GetDataset("bad"), IsOk());
  EXPECT_THAT(store->ReadDataset("good"), IsOk());
  EXPECT_THAT(store->DeleteDataset("bad"), IsOk());
}

TEST_F(SqliteStoreFaultTest, DamagedLabelsNeverLeaveTheirRange) {
  const auto store = Open();
  const v1::DatasetHeader header = MakeHeader("bad", 10, 4);
  ASSERT_THAT(Upload(*store, header, MakeRows(header, 1)), IsOk());
  Damage("dataset_pieces", "labels", "dataset_id = 1");
  EXPECT_THAT(store->ReadDataset("bad"), HasStatus(absl::StatusCode::kDataLoss, "dataset bad"));
  EXPECT_THAT(store->ReadLabels("bad"), HasStatus(absl::StatusCode::kDataLoss, "dataset bad"));
  EXPECT_THAT(store->ReadRows("bad", {5}), HasStatus(absl::StatusCode::kDataLoss, "dataset bad"));
}

TEST_F(SqliteStoreFaultTest, MissingPiecesAreDataLoss) {
  const auto store = Open();
  const v1::DatasetHeader header = MakeHeader("bad", 3000, 784);
  ASSERT_THAT(Upload(*store, header, MakeRows(header, 1)), IsOk());
  ASSERT_THAT(OpenDatabase()->Execute("DELETE FROM dataset_pieces WHERE first_row = 0"), IsOk());
  EXPECT_THAT(store->ReadDataset("bad"), HasStatus(absl::StatusCode::kDataLoss, "dataset bad"));
  EXPECT_THAT(store->ReadLabels("bad"), HasStatus(absl::StatusCode::kDataLoss, "dataset bad"));
  EXPECT_THAT(store->ReadRows("bad", {0}), HasStatus(absl::StatusCode::kDataLoss, "dataset bad"));
  EXPECT_THAT(store->ReadRows("bad", {2999}), IsOk());
}

TEST_F(SqliteStoreFaultTest, DamagedArtifactIsDataLossOfItsVersionAlone) {
  const auto store = Open();
  ASSERT_THAT(Publish(*store, "one"), IsOk());
  ASSERT_THAT(Publish(*store, "two"), IsOk());
  Damage("artifact_pieces", "bytes", "version_id = 1");
  EXPECT_THAT(store->ReadArtifact("digits", 1),
              HasStatus(absl::StatusCode::kDataLoss, "model digits version 1"));
  EXPECT_EQ(store->ReadArtifact("digits", 2).value(), "two");
  EXPECT_THAT(store->GetVersion("digits", 1), IsOk());
  ASSERT_THAT(OpenDatabase()->Execute("DELETE FROM artifact_pieces"), IsOk());
  EXPECT_THAT(store->ReadArtifact("digits", 2), HasStatus(absl::StatusCode::kDataLoss, ""));
}

TEST_F(SqliteStoreFaultTest, DamagedCheckpointIsDataLossAndTheOneBeforeIsThere) {
  const auto store = Open();
  const int64_t job = RunningJob(*store).id();
  ASSERT_THAT(store->SaveCheckpoint(job, "one"), IsOk());
  ASSERT_THAT(store->SaveCheckpoint(job, "two"), IsOk());
  Damage("checkpoint_pieces", "bytes", "checkpoint_id = 2");
  EXPECT_THAT(store->ReadCheckpoint(job, 0), HasStatus(absl::StatusCode::kDataLoss, "job 1"));
  EXPECT_EQ(store->ReadCheckpoint(job, 1).value(), "one");
  ASSERT_THAT(OpenDatabase()->Execute("DELETE FROM checkpoint_pieces WHERE checkpoint_id = 1"),
              IsOk());
  EXPECT_THAT(store->ReadCheckpoint(job, 1), HasStatus(absl::StatusCode::kDataLoss, "job 1"));
  // It goes as it came.
  ASSERT_THAT(store->SaveCheckpoint(job, "three"), IsOk());
  EXPECT_EQ(store->ReadCheckpoint(job, 0).value(), "three");
}

TEST_F(SqliteStoreFaultTest, CheckpointCutOffLeavesTheOneBefore) {
  RunAndCrash([](Store& store) {
    const v1::TrainingJob job = RunningJob(store);
    if (!store.SaveCheckpoint(job.id(), "whole").ok()) _exit(1);
  });
  // As a server leaves it that is killed between two pieces.
  ASSERT_THAT(OpenDatabase()->Execute(
                  "INSERT INTO checkpoints (id, job_id, complete, bytes, crc) VALUES (9, 1, 0, 5, "
                  "0); INSERT INTO checkpoint_pieces VALUES (9, 0, x'0102')"),
              IsOk());
  const auto store = Open();
  EXPECT_EQ(Count("checkpoints"), 1);
  EXPECT_EQ(Count("checkpoint_pieces"), 1);
  EXPECT_EQ(store->ReadCheckpoint(1, 0).value(), "whole");
}

TEST_F(SqliteStoreFaultTest, CheckpointsLeaveNoBytesBehind) {
  const auto store = Open();
  v1::TrainingJob job = RunningJob(*store);
  for (int i = 0; i < 4; ++i) {
    ASSERT_THAT(store->SaveCheckpoint(job.id(), std::string(3'000'000, 'x')), IsOk());
    EXPECT_EQ(Count("checkpoint_pieces"), 3 * std::min(i + 1, 2));
  }
  job.set_state(v1::JOB_STATE_FAILED);
  ASSERT_THAT(store->UpdateJob(job, v1::JOB_STATE_RUNNING), IsOk());
  EXPECT_EQ(Count("checkpoint_pieces"), 0);
  EXPECT_EQ(Count("checkpoints"), 0);
}

TEST_F(SqliteStoreFaultTest, DamagedRecordsAreDataLoss) {
  const auto store = Open();
  ASSERT_THAT(Publish(*store, "one"), IsOk());
  const int64_t job = RunningJob(*store).id();
  Damage("datasets", "record", "name = 'data'");
  Damage("jobs", "record", absl::StrCat("id = ", job));
  Damage("versions", "record", "version = 1");
  EXPECT_THAT(store->GetDataset("data"), HasStatus(absl::StatusCode::kDataLoss, "dataset data"));
  EXPECT_THAT(store->GetJob(job), HasStatus(absl::StatusCode::kDataLoss, "job 2"));
  EXPECT_THAT(store->GetJob(1), IsOk());
  EXPECT_THAT(store->GetVersion("digits", 1),
              HasStatus(absl::StatusCode::kDataLoss, "model digits version 1"));
}

TEST_F(SqliteStoreFaultTest, HalfAnUploadIsGoneAfterACrash) {
  RunAndCrash([](Store& store) {
    v1::DatasetHeader header = MakeHeader("digits", 40'000, 784);
    header.set_request_id("request");
    const Rows rows = MakeRows(header, 1);
    const auto upload = store.BeginDatasetUpload(header).value();
    if (!upload->Append({rows.features, rows.labels}).ok()) _exit(1);
    kill(getpid(), SIGKILL);  // before the upload's destructor
  });
  ASSERT_GT(Count("dataset_pieces"), 16);
  const auto store = Open();
  EXPECT_EQ(Count("dataset_pieces"), 0);
  EXPECT_EQ(Count("datasets"), 0);
  EXPECT_THAT(store->GetDataset("digits"), HasStatus(absl::StatusCode::kNotFound, ""));
  const v1::DatasetHeader header = MakeHeader("digits", 3, 4);
  EXPECT_THAT(Upload(*store, header, MakeRows(header, 1)), IsOk());
}

TEST_F(SqliteStoreFaultTest, WhatWasAcknowledgedIsThereAfterACrash) {
  RunAndCrash([](Store& store) {
    const v1::TrainingJob job = RunningJob(store);
    if (!store.AppendProgress(job.id(), {MakePoint(0, 2), MakePoint(1, 1)}).ok()) _exit(1);
    const v1::DatasetHeader header = MakeHeader("digits", 3000, 784);
    if (!Upload(store, header, MakeRows(header, 1)).ok()) _exit(1);
    if (!Publish(store, "artifact").ok()) _exit(1);
  });
  const auto store = Open();
  EXPECT_EQ(store->ReadProgress(1, 0, 10).value().size(), 2);
  EXPECT_EQ(store->UnfinishedJobs().value().size(), 1);
  EXPECT_THAT(store->ReadDataset("digits"), IsOk());
  EXPECT_EQ(store->ReadArtifact("digits", 1).value(), "artifact");
}

TEST_F(SqliteStoreFaultTest, DeletionCutOffIsFinishedAtTheNextStart) {
  {
    const auto store = Open();
    ASSERT_THAT(Publish(*store, std::string(3'000'000, 'x')), IsOk());
    ASSERT_THAT(Publish(*store, "two"), IsOk());
  }
  // As a server leaves them that is killed between hiding the rows and clearing them.
  ASSERT_THAT(OpenDatabase()->Execute("UPDATE versions SET model = NULL WHERE version = 1;"
                                      "UPDATE datasets SET name = NULL"),
              IsOk());
  const auto store = Open();
  EXPECT_EQ(Count("versions"), 1);
  EXPECT_EQ(Count("artifact_pieces"), 1);
  EXPECT_EQ(Count("dataset_pieces"), 0);
  EXPECT_EQ(store->ReadArtifact("digits", 2).value(), "two");
}

// A file size limit stands for a full disk: writes beyond it fail.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit = {bytes, before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, SIG_DFL);
  }

 private:
  rlimit before_ = {};
};

TEST_F(SqliteStoreFaultTest, FullDiskIsResourceExhaustedAndHarmless) {
  const auto store = Open();
  v1::TrainingJob job = RunningJob(*store);
  const v1::DatasetHeader header = MakeHeader("digits", 10'000, 784);
  const Rows rows = MakeRows(header, 1);
  NewVersion version;
  version.version.set_model("digits");
  version.artifact = std::string(8'000'000, 'x');
  v1::TrainingJob ended = job;
  ended.set_state(v1::JOB_STATE_SUCCEEDED);
  ASSERT_THAT(store->SaveCheckpoint(job.id(), "checkpoint"), IsOk());
  {
    const FileSizeLimit limit(2'000'000);
    EXPECT_THAT(store->SaveCheckpoint(job.id(), std::string(8'000'000, 'x')),
                HasStatus(absl::StatusCode::kResourceExhausted, ""));
    EXPECT_EQ(store->ReadCheckpoint(job.id(), 0).value(), "checkpoint");
    EXPECT_THAT(Upload(*store, header, rows), HasStatus(absl::StatusCode::kResourceExhausted, ""));
    EXPECT_THAT(store->PublishVersion(version, ended),
                HasStatus(absl::StatusCode::kResourceExhausted, ""));
    // Reading goes on, and nothing is half there.
    EXPECT_THAT(store->GetDataset("digits"), HasStatus(absl::StatusCode::kNotFound, ""));
    EXPECT_THAT(store->GetModel("digits"), HasStatus(absl::StatusCode::kNotFound, ""));
    EXPECT_THAT(store->GetJob(job.id()).value(), EqualsMessage(job));
    EXPECT_THAT(store->ReadDataset("data"), IsOk());
  }
  EXPECT_THAT(Upload(*store, header, rows), IsOk());
  EXPECT_EQ(store->PublishVersion(version, ended).value().version(), 1);
  EXPECT_TRUE(store->ReadDataset("digits").value().features == rows.features);
}

TEST_F(SqliteStoreFaultTest, DatabaseOfTheFirstSchemaIsBroughtUpToDate) {
  int64_t id = 0;
  {
    const auto store = Open();
    id = RunningJob(*store).id();
    ASSERT_THAT(store->AppendProgress(id, {MakePoint(0, 2)}), IsOk());
  }
  const auto database = OpenDatabase();
  ASSERT_THAT(database->Execute(kDropStoredBytes), IsOk());
  ASSERT_THAT(database->Execute("DROP TABLE aliases;"
                                "DROP TABLE checkpoint_pieces; DROP TABLE checkpoints;"
                                "ALTER TABLE dataset_pieces DROP COLUMN weights;"
                                "ALTER TABLE jobs DROP COLUMN log;"
                                "ALTER TABLE jobs DROP COLUMN initial_model;"
                                "PRAGMA user_version = 1"),
              IsOk());
  const auto store = Open();
  EXPECT_EQ(store->GetJob(id).value().progress().cost(), 2);
  EXPECT_THAT(store->SaveCheckpoint(id, "bytes"), IsOk());
  EXPECT_THAT(store->AppendJobLog(id, {}), IsOk());
  EXPECT_EQ(store->GetJob(id).value().log_size(), 1);
  EXPECT_THAT(store->ReadDataset("data"), IsOk());
}

TEST_F(SqliteStoreFaultTest, CheckpointsOfTheThirdSchemaAreCheckpointsStill) {
  int64_t id = 0;
  {
    const auto store = Open();
    id = RunningJob(*store).id();
    ASSERT_THAT(store->SaveCheckpoint(id, "bytes"), IsOk());
  }
  const auto database = OpenDatabase();
  ASSERT_THAT(database->Execute(kDropStoredBytes), IsOk());
  ASSERT_THAT(database->Execute("DROP TABLE aliases;"
                                "ALTER TABLE checkpoints DROP COLUMN kind;"
                                "PRAGMA user_version = 3"),
              IsOk());
  const auto store = Open();
  EXPECT_EQ(store->ReadCheckpoint(id, 0).value(), "bytes");
  EXPECT_THAT(store->ReadKeptWeights(id), HasStatus(absl::StatusCode::kNotFound, ""));
  EXPECT_THAT(store->SaveKeptWeights(id, "weights"), IsOk());
}

TEST_F(SqliteStoreFaultTest, UploadThatFailedOnceStaysFailed) {
  const auto store = Open();
  const v1::DatasetHeader header = MakeHeader("digits", 10'000, 784);
  const Rows rows = MakeRows(header, 1);
  const auto upload = store->BeginDatasetUpload(header).value();
  {
    const FileSizeLimit limit(2'000'000);
    ASSERT_FALSE(upload->Append({rows.features, rows.labels}).ok());
  }
  EXPECT_THAT(upload->Append({"", {}}), HasStatus(absl::StatusCode::kResourceExhausted, ""));
  EXPECT_THAT(upload->Commit(Describe(header, rows)),
              HasStatus(absl::StatusCode::kResourceExhausted, ""));
  EXPECT_THAT(store->GetDataset("digits"), HasStatus(absl::StatusCode::kNotFound, ""));
}

}  // namespace
}  // namespace mlp::testing

#include "server/store/sqlite_store.h"

#include <atomic>
#include <cstdio>
#include <utility>

#include <absl/strings/str_cat.h>
#include <absl/strings/str_replace.h>

#include "core/base/status_macros.h"
#include "server/store/data_folder.h"
#include "server/store/sqlite_backup.h"
#include "server/store/sqlite_checkpoints.h"
#include "server/store/sqlite_database.h"
#include "server/store/sqlite_datasets.h"
#include "server/store/sqlite_jobs.h"
#include "server/store/sqlite_models.h"
#include "server/store/sqlite_quotas.h"

namespace mlp {
namespace {

// Puts the parts together; each of them is documented in its own header.
class SqliteStore final : public Store {
 public:
  SqliteStore(std::unique_ptr<DataFolder> folder, std::unique_ptr<SqliteDatabase> database,
              const Clock& clock)
      : folder_(std::move(folder)),
        database_(std::move(database)),
        datasets_(*database_, quotas_, clock),
        jobs_(*database_, quotas_, clock),
        checkpoints_(*database_),
        models_(*database_, quotas_, clock) {}

  absl::Status Purge() {
    MLP_RETURN_IF_ERROR(CountUnnamed());
    MLP_RETURN_IF_ERROR(datasets_.Purge());
    MLP_RETURN_IF_ERROR(checkpoints_.Recover());
    return models_.Purge();
  }

  void SetQuotas(const StoreQuotas& quotas) override { quotas_.Set(quotas); }

  absl::StatusOr<std::unique_ptr<DatasetUpload>> BeginDatasetUpload(
      const v1::DatasetHeader& header) override {
    return datasets_.BeginUpload(header);
  }
  absl::StatusOr<v1::Dataset> FindDatasetByRequest(absl::string_view request_id) override {
    return datasets_.FindByRequest(request_id);
  }
  absl::StatusOr<v1::Dataset> GetDataset(absl::string_view name) override {
    return datasets_.Get(name);
  }
  absl::StatusOr<Page<v1::Dataset>> ListDatasets(const PageRequest& page) override {
    return datasets_.List(page);
  }
  absl::Status DeleteDataset(absl::string_view name) override { return datasets_.Delete(name); }
  absl::StatusOr<Dataset> ReadDataset(absl::string_view name) override {
    return datasets_.Read(name);
  }
  absl::StatusOr<Dataset> ReadRows(absl::string_view name,
                                   absl::Span<const int64_t> rows) override {
    return datasets_.ReadRows(name, rows);
  }
  absl::StatusOr<std::vector<int32_t>> ReadLabels(absl::string_view name) override {
    return datasets_.ReadLabels(name);
  }

  absl::StatusOr<v1::TrainingJob> CreateJob(const v1::TrainingJob& job,
                                            absl::string_view request_id, int max_queued) override {
    return jobs_.Create(job, request_id, max_queued);
  }
  absl::StatusOr<v1::TrainingJob> FindJobByRequest(absl::string_view request_id) override {
    return jobs_.FindByRequest(request_id);
  }
  absl::StatusOr<v1::TrainingJob> GetJob(int64_t id) override { return jobs_.Get(id); }
  absl::StatusOr<Page<v1::TrainingJob>> ListJobs(const PageRequest& page,
                                                 const JobFilter& filter) override {
    return jobs_.List(page, filter);
  }
  absl::Status UpdateJob(const v1::TrainingJob& job, v1::JobState expected) override {
    return jobs_.Update(job, expected);
  }
  absl::Status DeleteJob(int64_t id) override { return jobs_.Delete(id); }
  absl::StatusOr<std::vector<v1::TrainingJob>> UnfinishedJobs() override {
    return jobs_.Unfinished();
  }
  absl::StatusOr<std::vector<int64_t>> CountJobs() override { return jobs_.Count(); }

  absl::Status AppendJobLog(int64_t id, const v1::JobLogLine& line) override {
    return jobs_.AppendLog(id, line);
  }

  absl::Status SaveCheckpoint(int64_t job_id, absl::string_view bytes) override {
    return checkpoints_.Save(job_id, CheckpointKind::kToGoOn, bytes);
  }
  absl::StatusOr<std::string> ReadCheckpoint(int64_t job_id, int age) override {
    return checkpoints_.Read(job_id, CheckpointKind::kToGoOn, age);
  }
  absl::Status SaveKeptWeights(int64_t job_id, absl::string_view bytes) override {
    return checkpoints_.Save(job_id, CheckpointKind::kKeptWeights, bytes);
  }
  absl::StatusOr<std::string> ReadKeptWeights(int64_t job_id) override {
    return checkpoints_.Read(job_id, CheckpointKind::kKeptWeights, 0);
  }

  absl::Status AppendProgress(int64_t job_id, absl::Span<const ProgressPoint> points) override {
    return jobs_.AppendProgress(job_id, points);
  }
  absl::StatusOr<std::vector<ProgressPoint>> ReadProgress(int64_t job_id, int from,
                                                          int limit) override {
    return jobs_.ReadProgress(job_id, from, limit);
  }

  absl::StatusOr<v1::ModelVersion> PublishVersion(NewVersion version,
                                                  v1::TrainingJob job) override {
    return models_.Publish(std::move(version), std::move(job));
  }
  absl::StatusOr<v1::ModelVersion> ImportVersion(NewVersion version) override {
    return models_.Import(std::move(version));
  }
  absl::StatusOr<v1::Model> GetModel(absl::string_view name) override { return models_.Get(name); }
  absl::StatusOr<Page<v1::Model>> ListModels(const PageRequest& page) override {
    return models_.List(page);
  }
  absl::StatusOr<v1::Model> SetServingSettings(absl::string_view name,
                                               const v1::ServingSettings& settings) override {
    return models_.SetServing(name, settings);
  }
  absl::StatusOr<v1::Model> SetRetention(absl::string_view name,
                                         const v1::Retention& retention) override {
    return models_.SetRetention(name, retention);
  }
  absl::StatusOr<v1::Model> SetAlias(absl::string_view model, absl::string_view alias,
                                     int64_t version, std::optional<int64_t> expected) override {
    return models_.SetAlias(model, alias, version, expected);
  }
  absl::StatusOr<v1::Model> DeleteAlias(absl::string_view model, absl::string_view alias) override {
    return models_.DeleteAlias(model, alias);
  }
  absl::Status DeleteModel(absl::string_view name) override { return models_.Delete(name); }
  absl::StatusOr<v1::ModelVersion> GetVersion(absl::string_view model, int64_t version) override {
    return models_.GetVersion(model, version);
  }
  absl::StatusOr<v1::ModelVersion> GetAliasedVersion(absl::string_view model,
                                                     absl::string_view alias) override {
    return models_.GetAliasedVersion(model, alias);
  }
  absl::StatusOr<v1::ModelVersion> AnnotateVersion(const v1::ModelVersion& version) override {
    return models_.AnnotateVersion(version);
  }
  absl::StatusOr<Page<v1::ModelVersion>> ListVersions(absl::string_view model,
                                                      const PageRequest& page) override {
    return models_.ListVersions(model, page);
  }
  absl::Status DeleteVersion(absl::string_view model, int64_t version) override {
    return models_.DeleteVersion(model, version);
  }
  absl::StatusOr<std::string> ReadArtifact(absl::string_view model, int64_t version) override {
    return models_.ReadArtifact(model, version);
  }

  absl::StatusOr<std::unique_ptr<StoreBackup>> Backup() override;
  const StoreRecovery& recovery() const override { return recovery_; }
  absl::Status CheckStructure() override {
    return database_->Read([](SqliteConnection& connection) -> absl::Status {
      SqliteStatement check = connection.Prepare("PRAGMA integrity_check(1)");
      MLP_ASSIGN_OR_RETURN(const bool row, check.Step());
      if (row && check.Bytes(0) == "ok") return absl::OkStatus();
      return absl::DataLossError(
          absl::StrCat("store: mlpd.db is damaged: ",
                       absl::StrReplaceAll(row ? check.Bytes(0) : "no answer", {{"\n", ": "}})));
    });
  }

 private:
  absl::Status CountUnnamed() {
    return database_->Read([this](SqliteConnection& connection) -> absl::Status {
      MLP_ASSIGN_OR_RETURN(recovery_.datasets,
                           connection.QueryInt("SELECT count(*) FROM datasets WHERE name IS NULL"));
      MLP_ASSIGN_OR_RETURN(
          recovery_.versions,
          connection.QueryInt("SELECT count(*) FROM versions WHERE model IS NULL"));
      MLP_ASSIGN_OR_RETURN(recovery_.checkpoints,
                           connection.QueryInt("SELECT count(*) FROM checkpoints WHERE job_id IS "
                                               "NULL OR NOT complete"));
      return absl::OkStatus();
    });
  }

  StoreRecovery recovery_;
  // The lock on the folder goes last, when the database is closed.
  const std::unique_ptr<DataFolder> folder_;
  const std::unique_ptr<SqliteDatabase> database_;
  SqliteQuotas quotas_;
  SqliteDatasets datasets_;
  SqliteJobs jobs_;
  SqliteCheckpoints checkpoints_;
  SqliteModels models_;
  // Outlives the store where a backup does.
  std::shared_ptr<std::atomic<bool>> backup_runs_ = std::make_shared<std::atomic<bool>>(false);
};

// Whose turn it is; over when the last copy of it goes.
using Turn = std::shared_ptr<void>;

class BackupInTurn final : public StoreBackup {
 public:
  BackupInTurn(Turn turn, std::unique_ptr<StoreBackup> backup)
      : turn_(std::move(turn)), backup_(std::move(backup)) {}

  int64_t size() const override { return backup_->size(); }
  absl::StatusOr<std::string> Read(size_t most) override { return backup_->Read(most); }

 private:
  const Turn turn_;
  const std::unique_ptr<StoreBackup> backup_;
};

absl::StatusOr<std::unique_ptr<StoreBackup>> SqliteStore::Backup() {
  if (backup_runs_->exchange(true)) {
    return absl::ResourceExhaustedError("backup: another one is being made");
  }
  Turn turn(nullptr, [runs = backup_runs_](void*) { runs->store(false); });
  MLP_ASSIGN_OR_RETURN(std::unique_ptr<StoreBackup> backup,
                       CopyDatabase(folder_->DatabaseFile(), folder_->BackupFile()));
  return std::make_unique<BackupInTurn>(std::move(turn), std::move(backup));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const std::string& data_dir,
                                                       const Clock& clock) {
  MLP_ASSIGN_OR_RETURN(std::unique_ptr<DataFolder> folder, DataFolder::Acquire(data_dir));
  std::remove(folder->BackupFile().c_str());
  MLP_RETURN_IF_ERROR(folder->PrepareDatabase());
  MLP_ASSIGN_OR_RETURN(std::unique_ptr<SqliteDatabase> database,
                       SqliteDatabase::Open(folder->DatabaseFile()));
  MLP_RETURN_IF_ERROR(folder->Flush());
  auto store = std::make_unique<SqliteStore>(std::move(folder), std::move(database), clock);
  MLP_RETURN_IF_ERROR(store->Purge());
  return store;
}

}  // namespace mlp

#include "server/store/sqlite_store.h"

#include <utility>

#include "core/base/status_macros.h"
#include "server/store/data_folder.h"
#include "server/store/sqlite_checkpoints.h"
#include "server/store/sqlite_database.h"
#include "server/store/sqlite_datasets.h"
#include "server/store/sqlite_jobs.h"
#include "server/store/sqlite_models.h"

namespace mlp {
namespace {

// Puts the parts together; each of them is documented in its own header.
class SqliteStore final : public Store {
 public:
  SqliteStore(std::unique_ptr<DataFolder> folder, std::unique_ptr<SqliteDatabase> database,
              const Clock& clock)
      : folder_(std::move(folder)),
        database_(std::move(database)),
        datasets_(*database_, clock),
        jobs_(*database_, clock),
        checkpoints_(*database_),
        models_(*database_, clock) {}

  absl::Status Purge() {
    MLP_RETURN_IF_ERROR(datasets_.Purge());
    MLP_RETURN_IF_ERROR(checkpoints_.Recover());
    return models_.Purge();
  }

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
  absl::StatusOr<v1::Model> GetModel(absl::string_view name) override { return models_.Get(name); }
  absl::StatusOr<Page<v1::Model>> ListModels(const PageRequest& page) override {
    return models_.List(page);
  }
  absl::StatusOr<v1::Model> SetServingSettings(absl::string_view name,
                                               const v1::ServingSettings& settings) override {
    return models_.SetServing(name, settings);
  }
  absl::Status DeleteModel(absl::string_view name) override { return models_.Delete(name); }
  absl::StatusOr<v1::ModelVersion> GetVersion(absl::string_view model, int64_t version) override {
    return models_.GetVersion(model, version);
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

 private:
  // The lock on the folder goes last, when the database is closed.
  const std::unique_ptr<DataFolder> folder_;
  const std::unique_ptr<SqliteDatabase> database_;
  SqliteDatasets datasets_;
  SqliteJobs jobs_;
  SqliteCheckpoints checkpoints_;
  SqliteModels models_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const std::string& data_dir,
                                                       const Clock& clock) {
  MLP_ASSIGN_OR_RETURN(std::unique_ptr<DataFolder> folder, DataFolder::Acquire(data_dir));
  MLP_ASSIGN_OR_RETURN(const std::string file, folder->DatabaseFile());
  MLP_ASSIGN_OR_RETURN(std::unique_ptr<SqliteDatabase> database, SqliteDatabase::Open(file));
  MLP_RETURN_IF_ERROR(folder->Flush());
  auto store = std::make_unique<SqliteStore>(std::move(folder), std::move(database), clock);
  MLP_RETURN_IF_ERROR(store->Purge());
  return store;
}

}  // namespace mlp

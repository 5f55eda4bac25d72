// A Store that passes every call on to another one: tests override what they want to go wrong.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/store/store.h"

namespace mlp {

class ForwardingStore : public Store {
 public:
  explicit ForwardingStore(Store& store) : store_(store) {}

  void SetQuotas(const StoreQuotas& quotas) override { store_.SetQuotas(quotas); }

  absl::StatusOr<std::unique_ptr<DatasetUpload>> BeginDatasetUpload(
      const v1::DatasetHeader& header) override {
    return store_.BeginDatasetUpload(header);
  }
  absl::StatusOr<v1::Dataset> FindDatasetByRequest(absl::string_view request_id) override {
    return store_.FindDatasetByRequest(request_id);
  }
  absl::StatusOr<v1::Dataset> GetDataset(absl::string_view name) override {
    return store_.GetDataset(name);
  }
  absl::StatusOr<Page<v1::Dataset>> ListDatasets(const PageRequest& page) override {
    return store_.ListDatasets(page);
  }
  absl::Status DeleteDataset(absl::string_view name) override { return store_.DeleteDataset(name); }
  absl::StatusOr<Dataset> ReadDataset(absl::string_view name) override {
    return store_.ReadDataset(name);
  }
  absl::StatusOr<Dataset> ReadRows(absl::string_view name,
                                   absl::Span<const int64_t> rows) override {
    return store_.ReadRows(name, rows);
  }
  absl::StatusOr<std::vector<int32_t>> ReadLabels(absl::string_view name) override {
    return store_.ReadLabels(name);
  }
  absl::StatusOr<v1::TrainingJob> CreateJob(const v1::TrainingJob& job,
                                            absl::string_view request_id, int max_queued) override {
    return store_.CreateJob(job, request_id, max_queued);
  }
  absl::StatusOr<v1::TrainingJob> FindJobByRequest(absl::string_view request_id) override {
    return store_.FindJobByRequest(request_id);
  }
  absl::StatusOr<v1::TrainingJob> GetJob(int64_t id) override { return store_.GetJob(id); }
  absl::StatusOr<Page<v1::TrainingJob>> ListJobs(const PageRequest& page,
                                                 const JobFilter& filter) override {
    return store_.ListJobs(page, filter);
  }
  absl::Status UpdateJob(const v1::TrainingJob& job, v1::JobState expected) override {
    return store_.UpdateJob(job, expected);
  }
  absl::Status DeleteJob(int64_t id) override { return store_.DeleteJob(id); }
  absl::StatusOr<std::vector<v1::TrainingJob>> UnfinishedJobs() override {
    return store_.UnfinishedJobs();
  }
  absl::StatusOr<std::vector<int64_t>> CountJobs() override { return store_.CountJobs(); }
  absl::Status AppendJobLog(int64_t id, const v1::JobLogLine& line) override {
    return store_.AppendJobLog(id, line);
  }
  absl::Status SaveCheckpoint(int64_t job_id, absl::string_view bytes) override {
    return store_.SaveCheckpoint(job_id, bytes);
  }
  absl::StatusOr<std::string> ReadCheckpoint(int64_t job_id, int age) override {
    return store_.ReadCheckpoint(job_id, age);
  }
  absl::Status SaveKeptWeights(int64_t job_id, absl::string_view bytes) override {
    return store_.SaveKeptWeights(job_id, bytes);
  }
  absl::StatusOr<std::string> ReadKeptWeights(int64_t job_id) override {
    return store_.ReadKeptWeights(job_id);
  }
  absl::Status AppendProgress(int64_t job_id, absl::Span<const ProgressPoint> points) override {
    return store_.AppendProgress(job_id, points);
  }
  absl::StatusOr<std::vector<ProgressPoint>> ReadProgress(int64_t job_id, int from,
                                                          int limit) override {
    return store_.ReadProgress(job_id, from, limit);
  }
  absl::StatusOr<v1::ModelVersion> PublishVersion(NewVersion version,
                                                  v1::TrainingJob job) override {
    return store_.PublishVersion(std::move(version), std::move(job));
  }
  absl::StatusOr<v1::ModelVersion> ImportVersion(NewVersion version) override {
    return store_.ImportVersion(std::move(version));
  }
  absl::StatusOr<v1::Model> SetRetention(absl::string_view name,
                                         const v1::Retention& retention) override {
    return store_.SetRetention(name, retention);
  }
  absl::StatusOr<v1::Model> SetAlias(absl::string_view model, absl::string_view alias,
                                     int64_t version, std::optional<int64_t> expected) override {
    return store_.SetAlias(model, alias, version, expected);
  }
  absl::StatusOr<v1::Model> DeleteAlias(absl::string_view model, absl::string_view alias) override {
    return store_.DeleteAlias(model, alias);
  }
  absl::StatusOr<v1::ModelVersion> GetAliasedVersion(absl::string_view model,
                                                     absl::string_view alias) override {
    return store_.GetAliasedVersion(model, alias);
  }
  absl::StatusOr<v1::ModelVersion> AnnotateVersion(const v1::ModelVersion& version) override {
    return store_.AnnotateVersion(version);
  }
  absl::StatusOr<std::unique_ptr<StoreBackup>> Backup() override { return store_.Backup(); }
  const StoreRecovery& recovery() const override { return store_.recovery(); }
  absl::Status CheckStructure() override { return store_.CheckStructure(); }
  absl::StatusOr<v1::Model> GetModel(absl::string_view name) override {
    return store_.GetModel(name);
  }
  absl::StatusOr<Page<v1::Model>> ListModels(const PageRequest& page) override {
    return store_.ListModels(page);
  }
  absl::StatusOr<v1::Model> SetServingSettings(absl::string_view name,
                                               const v1::ServingSettings& settings) override {
    return store_.SetServingSettings(name, settings);
  }
  absl::Status DeleteModel(absl::string_view name) override { return store_.DeleteModel(name); }
  absl::StatusOr<v1::ModelVersion> GetVersion(absl::string_view model, int64_t version) override {
    return store_.GetVersion(model, version);
  }
  absl::StatusOr<Page<v1::ModelVersion>> ListVersions(absl::string_view model,
                                                      const PageRequest& page) override {
    return store_.ListVersions(model, page);
  }
  absl::Status DeleteVersion(absl::string_view model, int64_t version) override {
    return store_.DeleteVersion(model, version);
  }
  absl::StatusOr<std::string> ReadArtifact(absl::string_view model, int64_t version) override {
    return store_.ReadArtifact(model, version);
  }

 private:
  Store& store_;
};

}  // namespace mlp

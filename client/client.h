// The client library of mlpd: one channel, deadlines, safe retries, and the streams as plain calls.
// mlpctl is built on it; services that train or predict can be too.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <absl/functional/function_ref.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include "client/example_source.h"
#include "client/job_watch.h"
#include "client/predict_stream.h"
#include "client/retry.h"
#include "mlp/v1/admin.pb.h"
#include "mlp/v1/dataset.pb.h"
#include "mlp/v1/model.pb.h"
#include "mlp/v1/prediction.pb.h"
#include "mlp/v1/training.pb.h"

namespace mlp {

struct ClientOptions {
  // HOST:PORT, without encryption and without an HTTP proxy.
  std::string server = "127.0.0.1:8001";
  // Of one unary call, all its attempts included.
  absl::Duration call_timeout = absl::Seconds(30);
  // Of one attempt to upload a dataset, and of exports, imports, backups and verifications.
  absl::Duration upload_timeout = absl::Hours(1);
  // Of one message, either way.
  int max_message_bytes = 64 << 20;
  // Of calls that are safe to repeat, and of a watch until it has seen its first message.
  RetryPolicy retry;
  // Of a watch that was connected: long enough for a server to restart.
  RetryPolicy reconnect = {.max_attempts = 15};
  // Not owned; null means RetryEnvironment::System().
  RetryEnvironment* environment = nullptr;
};

using OnFileData = absl::FunctionRef<absl::Status(absl::string_view)>;

struct BackupSummary {
  int64_t bytes = 0;
  std::string sha256;
};

// Every call returns the server's status; UNAVAILABLE where it cannot be reached, DEADLINE_EXCEEDED
// where it did not answer in time. Reads, cancels, and creates that carry a request_id are repeated
// after UNAVAILABLE, and after RESOURCE_EXHAUSTED where the server says when to come back; deletes
// and creates without a request_id never are. Thread-safe.
class Client {
 public:
  // Does not connect yet: the first call does.
  explicit Client(const ClientOptions& options);
  ~Client();

  const std::string& server() const;

  // Sends `header` (the source's, with name and request_id filled in) and all rows of `source`,
  // which is read from its start. on_rows, where given, hears how many rows have been sent. An
  // error of the source is returned as it is, and the upload given up.
  absl::StatusOr<v1::Dataset> UploadDataset(const v1::DatasetHeader& header, ExampleSource& source,
                                            const std::function<void(int64_t)>& on_rows = {});
  absl::StatusOr<v1::Dataset> GetDataset(const v1::GetDatasetRequest& request);
  absl::StatusOr<v1::ListDatasetsResponse> ListDatasets(const v1::ListDatasetsRequest& request);
  absl::Status DeleteDataset(const v1::DeleteDatasetRequest& request);
  absl::StatusOr<v1::ReadExamplesResponse> ReadExamples(const v1::ReadExamplesRequest& request);

  absl::StatusOr<v1::TrainingJob> CreateTrainingJob(const v1::CreateTrainingJobRequest& request);
  absl::StatusOr<v1::TrainingJob> GetTrainingJob(const v1::GetTrainingJobRequest& request);
  absl::StatusOr<v1::ListTrainingJobsResponse> ListTrainingJobs(
      const v1::ListTrainingJobsRequest& request);
  absl::StatusOr<v1::TrainingJob> CancelTrainingJob(const v1::CancelTrainingJobRequest& request);
  absl::Status DeleteTrainingJob(const v1::DeleteTrainingJobRequest& request);
  // See FollowTrainingJob.
  absl::StatusOr<v1::TrainingJob> WatchTrainingJob(int64_t id, const WatchOptions& options,
                                                   OnProgress on_progress);

  absl::StatusOr<v1::Model> GetModel(const v1::GetModelRequest& request);
  absl::StatusOr<v1::ListModelsResponse> ListModels(const v1::ListModelsRequest& request);
  absl::Status DeleteModel(const v1::DeleteModelRequest& request);
  absl::StatusOr<v1::ModelVersion> GetModelVersion(const v1::GetModelVersionRequest& request);
  absl::StatusOr<v1::ListModelVersionsResponse> ListModelVersions(
      const v1::ListModelVersionsRequest& request);
  absl::Status DeleteModelVersion(const v1::DeleteModelVersionRequest& request);
  absl::StatusOr<v1::EvaluateModelResponse> EvaluateModel(const v1::EvaluateModelRequest& request);

  // Replaces all of the model's settings.
  absl::StatusOr<v1::Model> SetServingSettings(const v1::SetServingSettingsRequest& request);

  // Repeated only with an expected_version: else one that came in between would be undone.
  absl::StatusOr<v1::Model> SetModelAlias(const v1::SetModelAliasRequest& request);
  absl::StatusOr<v1::Model> DeleteModelAlias(const v1::DeleteModelAliasRequest& request);
  absl::StatusOr<v1::Model> SetRetention(const v1::SetRetentionRequest& request);
  absl::StatusOr<v1::ModelVersion> AnnotateModelVersion(
      const v1::AnnotateModelVersionRequest& request);
  // Hands the file on piece by piece; an error of `on_data` ends the export and is returned.
  absl::StatusOr<v1::ModelVersion> ExportModel(const v1::ExportModelRequest& request,
                                               OnFileData on_data);
  // Fills in the header's size and hash.
  absl::StatusOr<v1::ModelVersion> ImportModel(v1::ImportModelHeader header,
                                               absl::string_view file);

  // As ExportModel. Returns what the server says that it has sent, which is what came.
  absl::StatusOr<BackupSummary> Backup(OnFileData on_data);
  absl::StatusOr<v1::VerifySummary> Verify(const std::function<void(const v1::Damage&)>& on_damage);

  absl::StatusOr<v1::PredictResponse> Predict(const v1::PredictRequest& request);
  // Many requests without waiting for each answer: several times as many a second as Predict. May
  // outlive the client.
  std::unique_ptr<PredictStream> OpenPredictStream(const PredictStreamOptions& options = {});

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace mlp

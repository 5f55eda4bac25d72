#include "client/client.h"

#include <utility>

#include <grpcpp/grpcpp.h>

#include "client/channel.h"
#include "client/dataset_chunks.h"
#include "client/rpc_status.h"
#include "client/status_macros.h"
#include "core/base/hash.h"
#include "mlp/v1/admin.grpc.pb.h"
#include "mlp/v1/dataset.grpc.pb.h"
#include "mlp/v1/model.grpc.pb.h"
#include "mlp/v1/prediction.grpc.pb.h"
#include "mlp/v1/training.grpc.pb.h"

namespace mlp {
namespace {

enum class Repeat { kNever, kSafe };

constexpr size_t kPieceBytes = size_t{1} << 20;

}  // namespace

class Client::Impl {
 public:
  explicit Impl(const ClientOptions& options)
      : options_(options),
        environment_(options.environment ? *options.environment : RetryEnvironment::System()),
        channel_(MakeChannel(options)),
        datasets_(v1::DatasetService::NewStub(channel_)),
        training_(v1::TrainingService::NewStub(channel_)),
        models_(v1::ModelService::NewStub(channel_)),
        prediction_(v1::PredictionService::NewStub(channel_)),
        admin_(v1::AdminService::NewStub(channel_)) {}

  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Call(Stub& stub,
                                grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request, Repeat repeat = Repeat::kSafe) {
    const absl::Time deadline = environment_.Now() + options_.call_timeout;
    Response response;
    MLP_RETURN_IF_ERROR(CallWithRetries(PolicyFor(repeat), environment_, deadline, [&] {
      grpc::ClientContext context;
      context.set_deadline(absl::ToChronoTime(deadline));
      response.Clear();
      return FromGrpcStatus((stub.*method)(&context, request, &response));
    }));
    return response;
  }

  absl::StatusOr<v1::Dataset> Upload(const v1::DatasetHeader& header, ExampleSource& source,
                                     const std::function<void(int64_t)>& on_rows) {
    const Repeat repeat = header.request_id().empty() ? Repeat::kNever : Repeat::kSafe;
    v1::Dataset dataset;
    const auto attempt = [&]() -> absl::Status {
      MLP_RETURN_IF_ERROR(source.Rewind());
      return UploadOnce(header, source, on_rows, dataset);
    };
    MLP_RETURN_IF_ERROR(
        CallWithRetries(PolicyFor(repeat), environment_, absl::InfiniteFuture(), attempt));
    return dataset;
  }

  absl::StatusOr<v1::TrainingJob> Watch(int64_t id, const WatchOptions& options,
                                        OnProgress on_progress) {
    return FollowTrainingJob(
        options, options_.retry, options_.reconnect, environment_,
        [&](int32_t from_iteration, OnWatchMessage on_message) {
          return WatchOnce(id, from_iteration, options.stop, on_message);
        },
        on_progress);
  }

  std::unique_ptr<PredictStream> OpenStream(const PredictStreamOptions& options) {
    return mlp::OpenPredictStream(channel_, options);
  }

  absl::StatusOr<v1::ModelVersion> Export(const v1::ExportModelRequest& request,
                                          OnFileData on_data) {
    grpc::ClientContext context;
    LimitTransfer(context);
    const auto stream = models_->ExportModel(&context, request);
    v1::ModelVersion version;
    v1::ExportModelResponse message;
    absl::Status written;
    while (written.ok() && stream->Read(&message)) {
      if (message.has_version()) version = message.version();
      written = on_data(message.data());
    }
    if (!written.ok()) context.TryCancel();
    const absl::Status status = FromGrpcStatus(stream->Finish());
    MLP_RETURN_IF_ERROR(written);
    MLP_RETURN_IF_ERROR(status);
    return version;
  }

  absl::StatusOr<v1::ModelVersion> Import(v1::ImportModelHeader header, absl::string_view file) {
    header.set_bytes(static_cast<int64_t>(file.size()));
    header.set_sha256(Sha256::Hex(file));
    grpc::ClientContext context;
    LimitTransfer(context);
    v1::ModelVersion version;
    const auto stream = models_->ImportModel(&context, &version);
    v1::ImportModelRequest message;
    *message.mutable_header() = std::move(header);
    // A write that fails means that the server has ended the call: Finish says how.
    bool open = stream->Write(message);
    message.Clear();
    for (; open && !file.empty(); file.remove_prefix(message.data().size())) {
      message.set_data(std::string(file.substr(0, kPieceBytes)));
      open = stream->Write(message);
    }
    if (open) stream->WritesDone();
    MLP_RETURN_IF_ERROR(FromGrpcStatus(stream->Finish()));
    return version;
  }

  absl::StatusOr<BackupSummary> Backup(OnFileData on_data) {
    grpc::ClientContext context;
    LimitTransfer(context);
    const auto stream = admin_->Backup(&context, v1::BackupRequest());
    v1::BackupResponse message;
    Sha256 hash;
    BackupSummary received;
    absl::Status written;
    v1::BackupResponse last;
    while (written.ok() && stream->Read(&message)) {
      hash.Update(message.data());
      received.bytes += static_cast<int64_t>(message.data().size());
      written = on_data(message.data());
      if (message.total_bytes() > 0) last = message;
    }
    if (!written.ok()) context.TryCancel();
    const absl::Status status = FromGrpcStatus(stream->Finish());
    MLP_RETURN_IF_ERROR(written);
    MLP_RETURN_IF_ERROR(status);
    received.sha256 = hash.FinishHex();
    if (received.bytes == last.total_bytes() && received.sha256 == last.sha256()) return received;
    return absl::DataLossError("backup: what came is not what the server sent");
  }

  absl::StatusOr<v1::VerifySummary> Verify(
      const std::function<void(const v1::Damage&)>& on_damage) {
    grpc::ClientContext context;
    LimitTransfer(context);
    const auto stream = admin_->Verify(&context, v1::VerifyRequest());
    v1::VerifySummary summary;
    v1::VerifyResponse message;
    while (stream->Read(&message)) {
      if (message.has_damage()) on_damage(message.damage());
      if (message.has_summary()) summary = message.summary();
    }
    MLP_RETURN_IF_ERROR(FromGrpcStatus(stream->Finish()));
    return summary;
  }

  const ClientOptions& options() const { return options_; }
  v1::DatasetService::Stub& datasets() { return *datasets_; }
  v1::TrainingService::Stub& training() { return *training_; }
  v1::ModelService::Stub& models() { return *models_; }
  v1::PredictionService::Stub& prediction() { return *prediction_; }

 private:
  void LimitTransfer(grpc::ClientContext& context) const {
    if (options_.upload_timeout == absl::InfiniteDuration()) return;
    context.set_deadline(absl::ToChronoTime(environment_.Now() + options_.upload_timeout));
  }

  RetryPolicy PolicyFor(Repeat repeat) const {
    RetryPolicy policy = options_.retry;
    if (repeat == Repeat::kNever) policy.max_attempts = 1;
    return policy;
  }

  absl::Status UploadOnce(const v1::DatasetHeader& header, ExampleSource& source,
                          const std::function<void(int64_t)>& on_rows, v1::Dataset& dataset) {
    grpc::ClientContext context;
    LimitTransfer(context);
    dataset.Clear();
    const auto stream = datasets_->UploadDataset(&context, &dataset);
    v1::UploadDatasetRequest message;
    *message.mutable_header() = header;
    // A write that fails means that the server has ended the call: Finish says how.
    bool open = stream->Write(message);
    DatasetChunks chunks(source);
    while (open) {
      const absl::StatusOr<bool> more = chunks.Next(*message.mutable_chunk());
      if (!more.ok()) {
        context.TryCancel();
        stream->Finish();
        return more.status();
      }
      if (!*more) break;
      open = stream->Write(message);
      if (open && on_rows) on_rows(chunks.rows());
    }
    if (open) stream->WritesDone();
    return FromGrpcStatus(stream->Finish());
  }

  absl::Status WatchOnce(int64_t id, int32_t from_iteration, const std::stop_token& stop,
                         OnWatchMessage on_message) {
    grpc::ClientContext context;
    const std::stop_callback cancel(stop, [&context] { context.TryCancel(); });
    v1::WatchTrainingJobRequest request;
    request.set_id(id);
    request.set_from_iteration(from_iteration);
    const auto stream = training_->WatchTrainingJob(&context, request);
    v1::WatchTrainingJobResponse message;
    while (stream->Read(&message)) on_message(message);
    return FromGrpcStatus(stream->Finish());
  }

  const ClientOptions options_;
  RetryEnvironment& environment_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::DatasetService::Stub> datasets_;
  const std::unique_ptr<v1::TrainingService::Stub> training_;
  const std::unique_ptr<v1::ModelService::Stub> models_;
  const std::unique_ptr<v1::PredictionService::Stub> prediction_;
  const std::unique_ptr<v1::AdminService::Stub> admin_;
};

Client::Client(const ClientOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Client::~Client() = default;

const std::string& Client::server() const { return impl_->options().server; }

absl::StatusOr<v1::Dataset> Client::UploadDataset(const v1::DatasetHeader& header,
                                                  ExampleSource& source,
                                                  const std::function<void(int64_t)>& on_rows) {
  return impl_->Upload(header, source, on_rows);
}

absl::StatusOr<v1::Dataset> Client::GetDataset(const v1::GetDatasetRequest& request) {
  return impl_->Call(impl_->datasets(), &v1::DatasetService::Stub::GetDataset, request);
}

absl::StatusOr<v1::ListDatasetsResponse> Client::ListDatasets(
    const v1::ListDatasetsRequest& request) {
  return impl_->Call(impl_->datasets(), &v1::DatasetService::Stub::ListDatasets, request);
}

absl::Status Client::DeleteDataset(const v1::DeleteDatasetRequest& request) {
  return impl_
      ->Call(impl_->datasets(), &v1::DatasetService::Stub::DeleteDataset, request, Repeat::kNever)
      .status();
}

absl::StatusOr<v1::ReadExamplesResponse> Client::ReadExamples(
    const v1::ReadExamplesRequest& request) {
  return impl_->Call(impl_->datasets(), &v1::DatasetService::Stub::ReadExamples, request);
}

absl::StatusOr<v1::TrainingJob> Client::CreateTrainingJob(
    const v1::CreateTrainingJobRequest& request) {
  return impl_->Call(impl_->training(), &v1::TrainingService::Stub::CreateTrainingJob, request,
                     request.request_id().empty() ? Repeat::kNever : Repeat::kSafe);
}

absl::StatusOr<v1::TrainingJob> Client::GetTrainingJob(const v1::GetTrainingJobRequest& request) {
  return impl_->Call(impl_->training(), &v1::TrainingService::Stub::GetTrainingJob, request);
}

absl::StatusOr<v1::ListTrainingJobsResponse> Client::ListTrainingJobs(
    const v1::ListTrainingJobsRequest& request) {
  return impl_->Call(impl_->training(), &v1::TrainingService::Stub::ListTrainingJobs, request);
}

absl::StatusOr<v1::TrainingJob> Client::CancelTrainingJob(
    const v1::CancelTrainingJobRequest& request) {
  return impl_->Call(impl_->training(), &v1::TrainingService::Stub::CancelTrainingJob, request);
}

absl::Status Client::DeleteTrainingJob(const v1::DeleteTrainingJobRequest& request) {
  return impl_
      ->Call(impl_->training(), &v1::TrainingService::Stub::DeleteTrainingJob, request,
             Repeat::kNever)
      .status();
}

absl::StatusOr<v1::TrainingJob> Client::WatchTrainingJob(int64_t id, const WatchOptions& options,
                                                         OnProgress on_progress) {
  return impl_->Watch(id, options, on_progress);
}

absl::StatusOr<v1::Model> Client::GetModel(const v1::GetModelRequest& request) {
  return impl_->Call(impl_->models(), &v1::ModelService::Stub::GetModel, request);
}

absl::StatusOr<v1::ListModelsResponse> Client::ListModels(const v1::ListModelsRequest& request) {
  return impl_->Call(impl_->models(), &v1::ModelService::Stub::ListModels, request);
}

absl::Status Client::DeleteModel(const v1::DeleteModelRequest& request) {
  return impl_->Call(impl_->models(), &v1::ModelService::Stub::DeleteModel, request, Repeat::kNever)
      .status();
}

absl::StatusOr<v1::ModelVersion> Client::GetModelVersion(
    const v1::GetModelVersionRequest& request) {
  return impl_->Call(impl_->models(), &v1::ModelService::Stub::GetModelVersion, request);
}

absl::StatusOr<v1::ListModelVersionsResponse> Client::ListModelVersions(
    const v1::ListModelVersionsRequest& request) {
  return impl_->Call(impl_->models(), &v1::ModelService::Stub::ListModelVersions, request);
}

absl::Status Client::DeleteModelVersion(const v1::DeleteModelVersionRequest& request) {
  return impl_
      ->Call(impl_->models(), &v1::ModelService::Stub::DeleteModelVersion, request, Repeat::kNever)
      .status();
}

absl::StatusOr<v1::EvaluateModelResponse> Client::EvaluateModel(
    const v1::EvaluateModelRequest& request) {
  return impl_->Call(impl_->models(), &v1::ModelService::Stub::EvaluateModel, request);
}

absl::StatusOr<v1::Model> Client::SetServingSettings(const v1::SetServingSettingsRequest& request) {
  return impl_->Call(impl_->models(), &v1::ModelService::Stub::SetServingSettings, request);
}

absl::StatusOr<v1::Model> Client::SetModelAlias(const v1::SetModelAliasRequest& request) {
  return impl_->Call(impl_->models(), &v1::ModelService::Stub::SetModelAlias, request,
                     request.has_expected_version() ? Repeat::kSafe : Repeat::kNever);
}

absl::StatusOr<v1::Model> Client::DeleteModelAlias(const v1::DeleteModelAliasRequest& request) {
  return impl_->Call(impl_->models(), &v1::ModelService::Stub::DeleteModelAlias, request,
                     Repeat::kNever);
}

absl::StatusOr<v1::Model> Client::SetRetention(const v1::SetRetentionRequest& request) {
  return impl_->Call(impl_->models(), &v1::ModelService::Stub::SetRetention, request);
}

absl::StatusOr<v1::ModelVersion> Client::AnnotateModelVersion(
    const v1::AnnotateModelVersionRequest& request) {
  return impl_->Call(impl_->models(), &v1::ModelService::Stub::AnnotateModelVersion, request);
}

absl::StatusOr<v1::ModelVersion> Client::ExportModel(const v1::ExportModelRequest& request,
                                                     OnFileData on_data) {
  return impl_->Export(request, on_data);
}

absl::StatusOr<v1::ModelVersion> Client::ImportModel(v1::ImportModelHeader header,
                                                     absl::string_view file) {
  return impl_->Import(std::move(header), file);
}

absl::StatusOr<BackupSummary> Client::Backup(OnFileData on_data) { return impl_->Backup(on_data); }

absl::StatusOr<v1::VerifySummary> Client::Verify(
    const std::function<void(const v1::Damage&)>& on_damage) {
  return impl_->Verify(on_damage);
}

absl::StatusOr<v1::PredictResponse> Client::Predict(const v1::PredictRequest& request) {
  return impl_->Call(impl_->prediction(), &v1::PredictionService::Stub::Predict, request);
}

std::unique_ptr<PredictStream> Client::OpenPredictStream(const PredictStreamOptions& options) {
  return impl_->OpenStream(options);
}

}  // namespace mlp

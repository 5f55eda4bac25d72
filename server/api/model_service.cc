#include "server/api/model_service.h"

#include <atomic>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <absl/strings/str_cat.h>
#include <absl/synchronization/mutex.h>
#include <grpcpp/impl/service_type.h>

#include "core/base/status_macros.h"
#include "core/base/thread_pool.h"
#include "core/train/trainer.h"
#include "mlp/v1/model.grpc.pb.h"
#include "server/api/dataset_part.h"
#include "server/api/model_lookup.h"
#include "server/api/page_token.h"
#include "server/api/rpc.h"
#include "server/conversion/evaluation_conversion.h"
#include "server/conversion/schema_conversion.h"
#include "server/names.h"

namespace mlp {
namespace {

constexpr char kService[] = "mlp.v1.ModelService";
constexpr char kModelList[] = "models";

// Evaluations that may wait for the one that runs.
constexpr int kMaxWaitingEvaluations = 16;

absl::Status CheckFits(const DatasetSchema& schema, const ServableModel& model) {
  if (schema.features != model.features()) {
    return absl::FailedPreconditionError(absl::StrCat("dataset: expected ", model.features(),
                                                      " features, as model ", model.name(),
                                                      " has inputs, got ", schema.features));
  }
  if (schema.class_names != model.class_names()) {
    return absl::FailedPreconditionError(
        absl::StrCat("dataset: its class names differ from those of model ", model.name(), "@",
                     model.version()));
  }
  return absl::OkStatus();
}

class ModelServiceImpl final : public v1::ModelService::Service {
 public:
  ModelServiceImpl(const ModelServiceOptions& options, Store& store, ResidentModels& models,
                   Metrics& metrics)
      : store_(store),
        models_(models),
        metrics_(metrics),
        pool_({.threads = options.evaluation_threads, .idle_priority = true}),
        get_(metrics.Rpc(kService, "GetModel")),
        list_(metrics.Rpc(kService, "ListModels")),
        delete_(metrics.Rpc(kService, "DeleteModel")),
        get_version_(metrics.Rpc(kService, "GetModelVersion")),
        list_versions_(metrics.Rpc(kService, "ListModelVersions")),
        delete_version_(metrics.Rpc(kService, "DeleteModelVersion")),
        evaluate_(metrics.Rpc(kService, "EvaluateModel")) {}

  grpc::Status GetModel(grpc::ServerContext*, const v1::GetModelRequest* request,
                        v1::Model* response) override {
    return ServeRpc(get_, [&]() -> absl::Status {
      MLP_RETURN_IF_ERROR(CheckName("name", request->name()));
      MLP_ASSIGN_OR_RETURN(*response, store_.GetModel(request->name()));
      return absl::OkStatus();
    });
  }

  grpc::Status ListModels(grpc::ServerContext*, const v1::ListModelsRequest* request,
                          v1::ListModelsResponse* response) override {
    return ServeRpc(list_, [&]() -> absl::Status {
      MLP_ASSIGN_OR_RETURN(const PageRequest page,
                           ReadPage(kModelList, request->page_size(), request->page_token()));
      MLP_ASSIGN_OR_RETURN(Page<v1::Model> models, store_.ListModels(page));
      for (v1::Model& model : models.items) *response->add_models() = std::move(model);
      response->set_next_page_token(EncodePageToken(kModelList, models.next));
      return absl::OkStatus();
    });
  }

  grpc::Status DeleteModel(grpc::ServerContext*, const v1::DeleteModelRequest* request,
                           google::protobuf::Empty*) override {
    return ServeRpc(delete_, [&]() -> absl::Status {
      MLP_RETURN_IF_ERROR(CheckName("name", request->name()));
      MLP_RETURN_IF_ERROR(store_.DeleteModel(request->name()));
      models_.Refresh(request->name());
      metrics_.ForgetModel(request->name());
      return absl::OkStatus();
    });
  }

  grpc::Status GetModelVersion(grpc::ServerContext*, const v1::GetModelVersionRequest* request,
                               v1::ModelVersion* response) override {
    return ServeRpc(get_version_, [&]() -> absl::Status {
      MLP_ASSIGN_OR_RETURN(*response, FindModelVersion(request->model(), store_));
      return absl::OkStatus();
    });
  }

  grpc::Status ListModelVersions(grpc::ServerContext*, const v1::ListModelVersionsRequest* request,
                                 v1::ListModelVersionsResponse* response) override {
    return ServeRpc(list_versions_, [&]() -> absl::Status {
      MLP_RETURN_IF_ERROR(CheckName("model", request->model()));
      const std::string list = absl::StrCat("versions of ", request->model());
      MLP_ASSIGN_OR_RETURN(const PageRequest page,
                           ReadPage(list, request->page_size(), request->page_token()));
      MLP_ASSIGN_OR_RETURN(Page<v1::ModelVersion> versions,
                           store_.ListVersions(request->model(), page));
      for (v1::ModelVersion& version : versions.items) {
        *response->add_versions() = std::move(version);
      }
      response->set_next_page_token(EncodePageToken(list, versions.next));
      return absl::OkStatus();
    });
  }

  grpc::Status DeleteModelVersion(grpc::ServerContext*,
                                  const v1::DeleteModelVersionRequest* request,
                                  google::protobuf::Empty*) override {
    return ServeRpc(delete_version_, [&]() -> absl::Status {
      MLP_RETURN_IF_ERROR(CheckName("model", request->model()));
      if (request->version() < 1) {
        return absl::InvalidArgumentError(
            absl::StrCat("version: expected 1 or more, got ", request->version()));
      }
      MLP_RETURN_IF_ERROR(store_.DeleteVersion(request->model(), request->version()));
      models_.Refresh(request->model());
      return absl::OkStatus();
    });
  }

  grpc::Status EvaluateModel(grpc::ServerContext* context, const v1::EvaluateModelRequest* request,
                             v1::EvaluateModelResponse* response) override {
    return ServeRpc(evaluate_, [&] { return Evaluate(*context, *request, *response); });
  }

 private:
  absl::Status Evaluate(const grpc::ServerContext& context, const v1::EvaluateModelRequest& request,
                        v1::EvaluateModelResponse& response) {
    MLP_RETURN_IF_ERROR(CheckName("dataset", request.dataset()));
    MLP_ASSIGN_OR_RETURN(const v1::ModelVersion version, FindModelVersion(request.model(), store_));
    MLP_ASSIGN_OR_RETURN(
        const std::shared_ptr<const ServableModel> model,
        models_.Get({.model = version.model(), .version = version.version(), .alias = ""}));
    MLP_ASSIGN_OR_RETURN(const v1::Dataset record, store_.GetDataset(request.dataset()));
    MLP_RETURN_IF_ERROR(CheckFits(SchemaOf(record), *model));
    MLP_ASSIGN_OR_RETURN(const std::vector<int64_t> rows,
                         PartRows(record, version, request.part(), store_));
    MLP_ASSIGN_OR_RETURN(const Evaluation evaluation, RunAlone(context, *model, record, rows));
    const v1::DatasetPart part =
        request.part() == v1::DATASET_PART_UNSPECIFIED ? v1::DATASET_PART_ALL : request.part();
    response.set_model(version.model());
    response.set_version(version.version());
    *response.mutable_evaluation() =
        EvaluationToApi(evaluation, part, model->class_names(), request.include_curves());
    return absl::OkStatus();
  }

  // One evaluation at a time: each has the whole dataset in memory and uses all cores. Ends early
  // where the caller is gone or its deadline has passed.
  absl::StatusOr<Evaluation> RunAlone(const grpc::ServerContext& context,
                                      const ServableModel& model, const v1::Dataset& record,
                                      absl::Span<const int64_t> rows) {
    if (waiting_.fetch_add(1) >= kMaxWaitingEvaluations) {
      waiting_.fetch_sub(1);
      return absl::ResourceExhaustedError(absl::StrCat("expected at most ", kMaxWaitingEvaluations,
                                                       " evaluations to wait; try again later"));
    }
    absl::MutexLock lock(&pool_mutex_);
    waiting_.fetch_sub(1);
    if (context.IsCancelled()) return absl::CancelledError("the caller is gone");
    MLP_ASSIGN_OR_RETURN(const Dataset dataset, store_.ReadDataset(record.name()));
    // It may have been deleted and another one stored under its name meanwhile.
    MLP_RETURN_IF_ERROR(CheckFits(dataset.schema, model));
    if (dataset.rows() != record.rows()) {
      return absl::AbortedError(
          absl::StrCat("dataset: ", record.name(), " was replaced while it was read; try again"));
    }
    const Artifact& artifact = model.artifact();
    std::atomic_flag asking;
    std::optional<Evaluation> evaluation =
        TryEvaluateRows(artifact.network, artifact.cost, artifact.scaler, dataset, rows, pool_,
                        [&context, &asking] {
                          // gRPC wants one thread at a time to ask.
                          if (asking.test_and_set()) return false;
                          const bool cancelled = context.IsCancelled();
                          asking.clear();
                          return cancelled;
                        });
    if (!evaluation) return absl::CancelledError("the caller is gone");
    return *std::move(evaluation);
  }

  Store& store_;
  ResidentModels& models_;
  Metrics& metrics_;
  std::atomic<int> waiting_ = 0;
  // Held over one evaluation: the pool runs one loop at a time.
  absl::Mutex pool_mutex_;
  ThreadPool pool_ ABSL_GUARDED_BY(pool_mutex_);
  RpcMetrics& get_;
  RpcMetrics& list_;
  RpcMetrics& delete_;
  RpcMetrics& get_version_;
  RpcMetrics& list_versions_;
  RpcMetrics& delete_version_;
  RpcMetrics& evaluate_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeModelService(const ModelServiceOptions& options, Store& store,
                                                ResidentModels& models, Metrics& metrics) {
  return std::make_unique<ModelServiceImpl>(options, store, models, metrics);
}

}  // namespace mlp

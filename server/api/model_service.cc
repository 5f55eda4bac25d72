#include "server/api/model_service.h"

#include <atomic>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <absl/strings/str_cat.h>
#include <absl/synchronization/mutex.h>

#include "core/base/status_macros.h"
#include "core/base/thread_pool.h"
#include "core/train/trainer.h"
#include "mlp/v1/model.pb.h"
#include "server/api/dataset_part.h"
#include "server/api/model_lookup.h"
#include "server/api/page_token.h"
#include "server/conversion/evaluation_conversion.h"
#include "server/conversion/schema_conversion.h"
#include "server/end_of_call.h"
#include "server/names.h"

namespace mlp {
namespace {

constexpr char kService[] = "mlp.v1.ModelService";
constexpr char kModelList[] = "models";

// Evaluations that may wait for the one that runs.
constexpr int kMaxWaitingEvaluations = 16;

constexpr size_t kCurvePoints = 200;
constexpr int32_t kDefaultWorstExamples = 10;
constexpr int32_t kMaxWorstExamples = 1000;

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

absl::Status CheckSetting(absl::string_view name, int64_t value, absl::string_view range,
                          int64_t most) {
  if (value >= 0 && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("settings.", name, ": expected ", range, ", got ", value));
}

absl::Status CheckSettings(const v1::ServingSettings& settings) {
  MLP_RETURN_IF_ERROR(CheckSetting("max_batch_rows", settings.max_batch_rows(),
                                   "1 to 65536, or 0 for the default", 65536));
  MLP_RETURN_IF_ERROR(
      CheckSetting("queue_delay_us", settings.queue_delay_us(), "0 to 1000000", 1'000'000));
  return CheckSetting("max_queued_requests", settings.max_queued_requests(),
                      "1 to 1000000, or 0 for the default", 1'000'000);
}

absl::StatusOr<EvaluationOptions> OptionsOf(const v1::EvaluateModelRequest& request) {
  const int32_t worst =
      request.has_worst_examples() ? request.worst_examples() : kDefaultWorstExamples;
  if (worst < 0 || worst > kMaxWorstExamples) {
    return absl::InvalidArgumentError(
        absl::StrCat("worst_examples: expected 0 to ", kMaxWorstExamples, ", got ", worst));
  }
  return EvaluationOptions{.max_curve_points = request.include_curves() ? kCurvePoints : 0,
                           .worst_examples = static_cast<size_t>(worst)};
}

class ModelServiceImpl final : public RpcService {
 public:
  ModelServiceImpl(const ModelServiceOptions& options, Store& store, ResidentModels& models,
                   Metrics& metrics)
      : store_(store),
        models_(models),
        metrics_(metrics),
        pool_({.threads = options.evaluation_threads, .idle_priority = true}) {}

  void AddTo(MethodTable& table) override {
    using Self = ModelServiceImpl;
    table.AddUnary(kService, "GetModel", this, &Self::GetModel);
    table.AddUnary(kService, "ListModels", this, &Self::ListModels);
    table.AddUnary(kService, "DeleteModel", this, &Self::DeleteModel);
    table.AddUnary(kService, "GetModelVersion", this, &Self::GetModelVersion);
    table.AddUnary(kService, "ListModelVersions", this, &Self::ListModelVersions);
    table.AddUnary(kService, "DeleteModelVersion", this, &Self::DeleteModelVersion);
    table.AddUnary(kService, "EvaluateModel", this, &Self::EvaluateModel);
    table.AddUnary(kService, "SetServingSettings", this, &Self::SetServingSettings);
  }

 private:
  absl::Status GetModel(const v1::GetModelRequest& request, v1::Model& response) {
    MLP_RETURN_IF_ERROR(CheckName("name", request.name()));
    MLP_ASSIGN_OR_RETURN(response, store_.GetModel(request.name()));
    return absl::OkStatus();
  }

  absl::Status ListModels(const v1::ListModelsRequest& request, v1::ListModelsResponse& response) {
    MLP_ASSIGN_OR_RETURN(const PageRequest page,
                         ReadPage(kModelList, request.page_size(), request.page_token()));
    MLP_ASSIGN_OR_RETURN(Page<v1::Model> models, store_.ListModels(page));
    for (v1::Model& model : models.items) *response.add_models() = std::move(model);
    response.set_next_page_token(EncodePageToken(kModelList, models.next));
    return absl::OkStatus();
  }

  absl::Status DeleteModel(const v1::DeleteModelRequest& request, google::protobuf::Empty&) {
    MLP_RETURN_IF_ERROR(CheckName("name", request.name()));
    MLP_RETURN_IF_ERROR(store_.DeleteModel(request.name()));
    models_.Refresh(request.name());
    metrics_.ForgetModel(request.name());
    return absl::OkStatus();
  }

  absl::Status GetModelVersion(const v1::GetModelVersionRequest& request,
                               v1::ModelVersion& response) {
    MLP_ASSIGN_OR_RETURN(response, FindModelVersion(request.model(), store_));
    return absl::OkStatus();
  }

  absl::Status ListModelVersions(const v1::ListModelVersionsRequest& request,
                                 v1::ListModelVersionsResponse& response) {
    MLP_RETURN_IF_ERROR(CheckName("model", request.model()));
    const std::string list = absl::StrCat("versions of ", request.model());
    MLP_ASSIGN_OR_RETURN(const PageRequest page,
                         ReadPage(list, request.page_size(), request.page_token()));
    MLP_ASSIGN_OR_RETURN(Page<v1::ModelVersion> versions,
                         store_.ListVersions(request.model(), page));
    for (v1::ModelVersion& version : versions.items) {
      *response.add_versions() = std::move(version);
    }
    response.set_next_page_token(EncodePageToken(list, versions.next));
    return absl::OkStatus();
  }

  absl::Status DeleteModelVersion(const v1::DeleteModelVersionRequest& request,
                                  google::protobuf::Empty&) {
    MLP_RETURN_IF_ERROR(CheckName("model", request.model()));
    if (request.version() < 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("version: expected 1 or more, got ", request.version()));
    }
    MLP_RETURN_IF_ERROR(store_.DeleteVersion(request.model(), request.version()));
    models_.Refresh(request.model());
    return absl::OkStatus();
  }

  absl::Status SetServingSettings(const v1::SetServingSettingsRequest& request,
                                  v1::Model& response) {
    MLP_RETURN_IF_ERROR(CheckName("model", request.model()));
    MLP_RETURN_IF_ERROR(CheckSettings(request.settings()));
    MLP_ASSIGN_OR_RETURN(response, store_.SetServingSettings(request.model(), request.settings()));
    // Others may have set them, or deleted the model, before these are applied: what is applied
    // last is then looked at once more by whoever did it, and is what the store has.
    std::string applied = response.serving().SerializeAsString();
    models_.Apply(request.model(), response.serving());
    while (true) {
      const absl::StatusOr<v1::Model> stored = store_.GetModel(request.model());
      if (!stored.ok() || stored->serving().SerializeAsString() == applied) break;
      applied = stored->serving().SerializeAsString();
      models_.Apply(request.model(), stored->serving());
    }
    return absl::OkStatus();
  }

  absl::Status EvaluateModel(const RpcCall& call, const v1::EvaluateModelRequest& request,
                             v1::EvaluateModelResponse& response) {
    MLP_RETURN_IF_ERROR(CheckName("dataset", request.dataset()));
    MLP_ASSIGN_OR_RETURN(const EvaluationOptions options, OptionsOf(request));
    MLP_ASSIGN_OR_RETURN(const v1::ModelVersion version, FindModelVersion(request.model(), store_));
    MLP_ASSIGN_OR_RETURN(const std::shared_ptr<const ServableModel> model,
                         models_.Load(absl::StrCat(version.model(), "@", version.version())));
    MLP_ASSIGN_OR_RETURN(const v1::Dataset record, store_.GetDataset(request.dataset()));
    MLP_RETURN_IF_ERROR(CheckFits(SchemaOf(record), *model));
    MLP_ASSIGN_OR_RETURN(const std::vector<int64_t> rows,
                         PartRows(record, version, request.part(), store_));
    MLP_ASSIGN_OR_RETURN(const Evaluation evaluation,
                         RunAlone(call, *model, record, rows, options));
    const v1::DatasetPart part =
        request.part() == v1::DATASET_PART_UNSPECIFIED ? v1::DATASET_PART_ALL : request.part();
    response.set_model(version.model());
    response.set_version(version.version());
    *response.mutable_evaluation() = EvaluationToApi(evaluation, part, model->class_names());
    return absl::OkStatus();
  }

  // One evaluation at a time: each has the whole dataset in memory and uses all cores. Ends early
  // where the caller is gone or its deadline has passed.
  absl::StatusOr<Evaluation> RunAlone(const RpcCall& call, const ServableModel& model,
                                      const v1::Dataset& record, absl::Span<const int64_t> rows,
                                      const EvaluationOptions& options) {
    if (waiting_.fetch_add(1) >= kMaxWaitingEvaluations) {
      waiting_.fetch_sub(1);
      return absl::ResourceExhaustedError(absl::StrCat("expected at most ", kMaxWaitingEvaluations,
                                                       " evaluations to wait; try again later"));
    }
    absl::MutexLock lock(&pool_mutex_);
    waiting_.fetch_sub(1);
    if (call.Cancelled()) return CallerGone();
    MLP_ASSIGN_OR_RETURN(const Dataset dataset, store_.ReadDataset(record.name()));
    // It may have been deleted and another one stored under its name meanwhile.
    MLP_RETURN_IF_ERROR(CheckFits(dataset.schema, model));
    if (dataset.rows() != record.rows()) {
      return absl::AbortedError(
          absl::StrCat("dataset: ", record.name(), " was replaced while it was read; try again"));
    }
    const Artifact& artifact = model.artifact();
    std::optional<Evaluation> evaluation = TryEvaluateRows(
        artifact.network, artifact.cost, artifact.scaler, dataset, rows, pool_,
        [&call] { return call.Cancelled(); }, options);
    if (!evaluation) return CallerGone();
    return *std::move(evaluation);
  }

  Store& store_;
  ResidentModels& models_;
  Metrics& metrics_;
  std::atomic<int> waiting_ = 0;
  // Held over one evaluation: the pool runs one loop at a time.
  absl::Mutex pool_mutex_;
  ThreadPool pool_ ABSL_GUARDED_BY(pool_mutex_);
};

}  // namespace

std::unique_ptr<RpcService> MakeModelService(const ModelServiceOptions& options, Store& store,
                                             ResidentModels& models, Metrics& metrics) {
  return std::make_unique<ModelServiceImpl>(options, store, models, metrics);
}

}  // namespace mlp

#include "server/api/training_service.h"

#include <atomic>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <google/protobuf/util/message_differencer.h>

#include "core/base/status_macros.h"
#include "core/data/split.h"
#include "core/train/study_plan.h"
#include "core/train/trainer.h"
#include "core/train/training_memory.h"
#include "mlp/v1/training.pb.h"
#include "server/api/page_token.h"
#include "server/conversion/config_conversion.h"
#include "server/conversion/evaluation_conversion.h"
#include "server/conversion/schema_conversion.h"
#include "server/conversion/study_conversion.h"
#include "server/end_of_call.h"
#include "server/jobs/initial_model.h"
#include "server/jobs/quality_gate.h"
#include "server/names.h"

namespace mlp {
namespace {

constexpr char kService[] = "mlp.v1.TrainingService";
constexpr size_t kMaxRequestIdLength = 128;
// How long a watch waits for news before it looks whether its caller is still there.
constexpr absl::Duration kWatchPatience = absl::Milliseconds(500);

absl::Status CheckId(int64_t id) {
  if (id >= 1) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("id: expected 1 or more, got ", id));
}

// Core names fields from the configuration on; callers sent them in `config`.
absl::Status InConfig(const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat("config.", status.message()));
}

// Whether the model reference `stored` is what `asked` was found to name: `digits@3` for `digits`.
bool IsVersionOf(absl::string_view stored, absl::string_view asked) {
  return stored == asked || (!asked.empty() && absl::StartsWith(stored, absl::StrCat(asked, "@")));
}

// With a request id that was used before, `stored` is the job of that request.
absl::Status CheckSameRequest(const v1::TrainingJob& asked, const v1::TrainingJob& stored) {
  using google::protobuf::util::MessageDifferencer;
  if (asked.model() == stored.model() && asked.dataset() == stored.dataset() &&
      MessageDifferencer::Equals(asked.config(), stored.config()) &&
      MessageDifferencer::Equals(asked.publish(), stored.publish())) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("request_id: was used before for job ", stored.id(),
                   ", with another model, dataset, configuration or publication"));
}

class TrainingServiceImpl final : public TrainingService {
 public:
  TrainingServiceImpl(JobScheduler& scheduler, Store& store, const TrainingServiceOptions& options)
      : training_threads_(options.training_threads),
        scheduler_(scheduler),
        store_(store),
        max_job_memory_bytes_(options.max_job_memory_bytes) {}

  void SetMaxJobMemory(int64_t bytes) override { max_job_memory_bytes_ = bytes; }

  void AddTo(MethodTable& table) override {
    using Self = TrainingServiceImpl;
    table.AddUnary(kService, "CreateTrainingJob", this, &Self::CreateTrainingJob);
    table.AddUnary(kService, "GetTrainingJob", this, &Self::GetTrainingJob);
    table.AddUnary(kService, "ListTrainingJobs", this, &Self::ListTrainingJobs);
    table.AddUnary(kService, "CancelTrainingJob", this, &Self::CancelTrainingJob);
    table.AddUnary(kService, "DeleteTrainingJob", this, &Self::DeleteTrainingJob);
    table.Add(kService, "WatchTrainingJob",
              [this](RpcCall& call) { return WatchTrainingJob(call); });
  }

 private:
  absl::Status CreateTrainingJob(const v1::CreateTrainingJobRequest& request,
                                 v1::TrainingJob& response) {
    MLP_RETURN_IF_ERROR(CheckName("model", request.model()));
    MLP_RETURN_IF_ERROR(CheckName("dataset", request.dataset()));
    if (request.request_id().size() > kMaxRequestIdLength) {
      return absl::InvalidArgumentError(absl::StrCat("request_id: expected at most ",
                                                     kMaxRequestIdLength, " characters, got ",
                                                     request.request_id().size()));
    }
    absl::StatusOr<v1::TrainingJob> earlier = FindEarlierJob(request);
    if (!absl::IsNotFound(earlier.status())) {
      MLP_ASSIGN_OR_RETURN(response, std::move(earlier));
      return absl::OkStatus();
    }
    MLP_ASSIGN_OR_RETURN(const v1::Dataset dataset, store_.GetDataset(request.dataset()));
    v1::TrainingJob job;
    MLP_ASSIGN_OR_RETURN(*job.mutable_config(), CheckConfig(request, dataset));
    if (request.has_publish()) *job.mutable_publish() = request.publish();
    job.set_model(request.model());
    job.set_dataset(dataset.name());
    job.set_dataset_sha256(dataset.sha256());
    MLP_ASSIGN_OR_RETURN(response, scheduler_.Submit(job, request.request_id()));
    return CheckSameRequest(job, response);
  }

  absl::Status GetTrainingJob(const v1::GetTrainingJobRequest& request, v1::TrainingJob& response) {
    MLP_RETURN_IF_ERROR(CheckId(request.id()));
    MLP_ASSIGN_OR_RETURN(response, store_.GetJob(request.id()));
    return absl::OkStatus();
  }

  absl::Status ListTrainingJobs(const v1::ListTrainingJobsRequest& request,
                                v1::ListTrainingJobsResponse& response) {
    if (!request.model().empty()) MLP_RETURN_IF_ERROR(CheckName("model", request.model()));
    if (!v1::JobState_IsValid(request.state())) {
      return absl::InvalidArgumentError(absl::StrCat("state: expected 0 to ", v1::JobState_MAX,
                                                     ", got ", static_cast<int>(request.state())));
    }
    const std::string list = absl::StrCat("jobs of \"", request.model(), "\" in state ",
                                          static_cast<int>(request.state()));
    MLP_ASSIGN_OR_RETURN(const PageRequest page,
                         ReadPage(list, request.page_size(), request.page_token()));
    MLP_ASSIGN_OR_RETURN(Page<v1::TrainingJob> jobs,
                         store_.ListJobs(page, {request.model(), request.state()}));
    for (v1::TrainingJob& job : jobs.items) *response.add_jobs() = std::move(job);
    response.set_next_page_token(EncodePageToken(list, jobs.next));
    return absl::OkStatus();
  }

  absl::Status CancelTrainingJob(const v1::CancelTrainingJobRequest& request,
                                 v1::TrainingJob& response) {
    MLP_RETURN_IF_ERROR(CheckId(request.id()));
    MLP_ASSIGN_OR_RETURN(response, scheduler_.Cancel(request.id()));
    return absl::OkStatus();
  }

  absl::Status DeleteTrainingJob(const v1::DeleteTrainingJobRequest& request,
                                 google::protobuf::Empty&) {
    MLP_RETURN_IF_ERROR(CheckId(request.id()));
    return scheduler_.Delete(request.id());
  }

  absl::Status WatchTrainingJob(RpcCall& call) {
    v1::WatchTrainingJobRequest request;
    MLP_RETURN_IF_ERROR(ReadRequest(call, request));
    MLP_RETURN_IF_ERROR(CheckId(request.id()));
    if (request.from_iteration() < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("from_iteration: expected 0 or more, got ", request.from_iteration()));
    }
    MLP_ASSIGN_OR_RETURN(const std::unique_ptr<JobWatch> watch,
                         scheduler_.Watch(request.id(), request.from_iteration()));
    return Follow(*watch, call);
  }

  // The job that an earlier call with this request id created. INVALID_ARGUMENT where that one
  // asked for something else, NOT_FOUND where there was none. The dataset may be gone by now.
  absl::StatusOr<v1::TrainingJob> FindEarlierJob(const v1::CreateTrainingJobRequest& request) {
    if (request.request_id().empty()) return absl::NotFoundError("no request id");
    MLP_ASSIGN_OR_RETURN(v1::TrainingJob stored, store_.FindJobByRequest(request.request_id()));
    v1::TrainingJob asked;
    asked.set_model(request.model());
    asked.set_dataset(request.dataset());
    if (request.has_publish()) *asked.mutable_publish() = request.publish();
    absl::Status same;
    // One default depends on the dataset's feature type: either may have been it.
    for (const v1::FeatureType type : {v1::FEATURE_TYPE_UINT8, v1::FEATURE_TYPE_FLOAT32}) {
      absl::StatusOr<TrainingConfig> config = TrainingConfigFromApi(request.config(), type);
      MLP_RETURN_IF_ERROR(InConfig(config.status()));
      *asked.mutable_config() = TrainingConfigToApi(*config);
      // The model has newer versions by now, perhaps.
      const std::string& initial_model = request.config().initial_model();
      const bool found = IsVersionOf(stored.config().initial_model(), initial_model);
      if (!initial_model.empty()) {
        SetInitialModel(found ? stored.config().initial_model() : initial_model,
                        *asked.mutable_config());
      }
      MLP_RETURN_IF_ERROR(InConfig(AddStudy(request.config(), *asked.mutable_config())));
      same = CheckSameRequest(asked, stored);
      if (same.ok()) return stored;
    }
    return same;
  }

  // Its configuration with every default filled in, or why no such job can run on `dataset`.
  absl::StatusOr<v1::TrainingConfig> CheckConfig(const v1::CreateTrainingJobRequest& request,
                                                 const v1::Dataset& dataset) {
    const v1::TrainingConfig& config = request.config();
    absl::StatusOr<TrainingConfig> checked = TrainingConfigFromApi(config, dataset.feature_type());
    MLP_RETURN_IF_ERROR(InConfig(checked.status()));
    const DatasetSchema schema = SchemaOf(dataset);
    MLP_RETURN_IF_ERROR(InConfig(ValidateForDataset(*checked, schema)));
    MLP_RETURN_IF_ERROR(CheckMemory(*checked, schema, dataset.rows()));
    MLP_ASSIGN_OR_RETURN(const std::vector<int32_t> labels, store_.ReadLabels(dataset.name()));
    MLP_RETURN_IF_ERROR(
        InConfig(SplitRows(labels, dataset.class_names_size(), checked->split).status()));
    MLP_RETURN_IF_ERROR(CheckStudy(config, *checked, schema, labels));
    v1::TrainingConfig filled = TrainingConfigToApi(*checked);
    if (!config.initial_model().empty()) {
      const absl::StatusOr<std::string> reference =
          CheckInitialModel(config.initial_model(), *checked);
      MLP_RETURN_IF_ERROR(InConfig(reference.status()));
      SetInitialModel(*reference, filled);
    }
    MLP_RETURN_IF_ERROR(InConfig(AddStudy(config, filled)));
    MLP_RETURN_IF_ERROR(CheckPublishOptions(request.publish(), checked->split));
    return filled;
  }

  // NAME@VERSION of a stored model that a training with `config` can start from.
  absl::StatusOr<std::string> CheckInitialModel(const std::string& reference,
                                                const TrainingConfig& config) {
    MLP_ASSIGN_OR_RETURN(const InitialModel model, ReadInitialModel(reference, store_));
    MLP_RETURN_IF_ERROR(ValidateWarmStart(config, model.start));
    return model.reference;
  }

  // The study of `config`, with every default filled in, to `filled`.
  static absl::Status AddStudy(const v1::TrainingConfig& config, v1::TrainingConfig& filled) {
    MLP_ASSIGN_OR_RETURN(const std::optional<StudyOptions> study, StudyFromApi(config));
    if (study) *filled.mutable_study() = StudyToApi(*study);
    return absl::OkStatus();
  }

  // Whether every run of the study, where `config` asks for one, can be made.
  absl::Status CheckStudy(const v1::TrainingConfig& config, const TrainingConfig& checked,
                          const DatasetSchema& schema, absl::Span<const int32_t> labels) {
    absl::StatusOr<std::optional<StudyOptions>> study = StudyFromApi(config);
    MLP_RETURN_IF_ERROR(InConfig(study.status()));
    if (!*study) return absl::OkStatus();
    const absl::StatusOr<StudyPlan> plan = MakeStudyPlan(**study, checked, schema, labels);
    MLP_RETURN_IF_ERROR(InConfig(plan.status()));
    for (const PlannedRun& run : plan->runs) {
      MLP_RETURN_IF_ERROR(CheckMemory(run.config, schema, static_cast<int64_t>(labels.size())));
    }
    return absl::OkStatus();
  }

  absl::Status CheckMemory(const TrainingConfig& config, const DatasetSchema& schema,
                           int64_t rows) {
    const int64_t memory = TrainingMemory(config, schema, rows, training_threads_);
    const int64_t most = max_job_memory_bytes_;
    if (memory <= most) return absl::OkStatus();
    return absl::ResourceExhaustedError(
        absl::StrCat("config.network.layers: training ", ParameterCount(config.topology),
                     " weights on ", rows, " rows needs about ", memory >> 20,
                     " MiB, more than the ", most >> 20, " MiB that this server allows a job"));
  }

  static absl::Status Follow(JobWatch& watch, RpcCall& call) {
    v1::WatchTrainingJobResponse response;
    *response.mutable_job() = watch.job();
    bool listening = call.Write(response);
    while (listening && !call.Cancelled()) {
      MLP_ASSIGN_OR_RETURN(JobWatch::Batch batch, watch.Next(kWatchPatience));
      for (const ProgressPoint& point : batch.points) {
        *response.mutable_progress() = ProgressPointToApi(point);
        listening = listening && call.Write(response);
      }
      if (!batch.ended) continue;
      *response.mutable_job() = *std::move(batch.ended);
      call.WriteLast(response);
      return absl::OkStatus();
    }
    return CallerGone();
  }

  const int training_threads_;
  JobScheduler& scheduler_;
  Store& store_;
  std::atomic<int64_t> max_job_memory_bytes_;
};

}  // namespace

std::unique_ptr<TrainingService> MakeTrainingService(JobScheduler& scheduler, Store& store,
                                                     const TrainingServiceOptions& options) {
  return std::make_unique<TrainingServiceImpl>(scheduler, store, options);
}

}  // namespace mlp

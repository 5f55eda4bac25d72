#include "tests/client/fake_mlpd.h"

#include <algorithm>
#include <utility>

#include <absl/base/thread_annotations.h>
#include <absl/strings/str_cat.h>
#include <absl/synchronization/mutex.h>
#include <grpcpp/grpcpp.h>

#include "mlp/v1/dataset.grpc.pb.h"
#include "mlp/v1/model.grpc.pb.h"
#include "mlp/v1/training.grpc.pb.h"
#include "tests/client/call_script.h"
#include "tests/client/canned_answers.h"
#include "tests/client/fake_prediction.h"

namespace mlp {
namespace {

using grpc::ServerContext;
using grpc::Status;

Status NotFound(const std::string& what) {
  return Status(grpc::StatusCode::NOT_FOUND, absl::StrCat(what, " does not exist"));
}

}  // namespace

class FakeMlpd::Impl : public v1::DatasetService::Service,
                       public v1::TrainingService::Service,
                       public v1::ModelService::Service {
 public:
  Impl() {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(static_cast<v1::DatasetService::Service*>(this));
    builder.RegisterService(static_cast<v1::TrainingService::Service*>(this));
    builder.RegisterService(static_cast<v1::ModelService::Service*>(this));
    builder.RegisterService(&prediction_);
    server_ = builder.BuildAndStart();
    address_ = absl::StrCat("127.0.0.1:", port);
  }

  ~Impl() override { server_->Shutdown(std::chrono::system_clock::now()); }

  Status Begin(const std::string& rpc, ServerContext* context) {
    return script_.Begin(rpc, context);
  }

  Status UploadDataset(ServerContext* context, grpc::ServerReader<v1::UploadDatasetRequest>* reader,
                       v1::Dataset* response) override {
    const Status begun = Begin("UploadDataset", context);
    if (!begun.ok()) return begun;
    StoredDataset stored;
    v1::UploadDatasetRequest message;
    int64_t rows = -1;
    while (reader->Read(&message)) {
      absl::MutexLock lock(&mutex_);
      largest_message_ = std::max(largest_message_, message.ByteSizeLong());
      if (message.has_header()) {
        const v1::DatasetHeader& header = message.header();
        rows = header.rows();
        stored.dataset.set_name(header.name());
        stored.dataset.set_rows(rows);
        stored.dataset.set_features(header.features());
        stored.dataset.set_feature_type(header.feature_type());
        *stored.dataset.mutable_class_names() = header.class_names();
        if (header.has_image()) *stored.dataset.mutable_image() = header.image();
      } else {
        stored.features += message.chunk().features();
        const auto& labels = message.chunk().labels();
        stored.labels.insert(stored.labels.end(), labels.begin(), labels.end());
      }
    }
    if (context->IsCancelled()) return Status::CANCELLED;
    if (rows != static_cast<int64_t>(stored.labels.size())) {
      return Status(grpc::StatusCode::INVALID_ARGUMENT,
                    absl::StrCat("labels: expected ", rows, ", got ", stored.labels.size()));
    }
    *response = stored.dataset;
    absl::MutexLock lock(&mutex_);
    datasets_.push_back(std::move(stored));
    return Status::OK;
  }

  Status GetDataset(ServerContext* context, const v1::GetDatasetRequest* request,
                    v1::Dataset* response) override {
    const Status begun = Begin("GetDataset", context);
    if (!begun.ok()) return begun;
    absl::MutexLock lock(&mutex_);
    for (const StoredDataset& stored : datasets_) {
      if (stored.dataset.name() != request->name()) continue;
      *response = stored.dataset;
      return Status::OK;
    }
    return NotFound(absl::StrCat("dataset ", request->name()));
  }

  // Two a page, whatever the client wants.
  Status ListDatasets(ServerContext*, const v1::ListDatasetsRequest* request,
                      v1::ListDatasetsResponse* response) override {
    absl::MutexLock lock(&mutex_);
    size_t i = request->page_token().empty() ? 0 : std::stoul(request->page_token());
    for (const size_t end = i + 2; i < end && i < datasets_.size(); ++i) {
      *response->add_datasets() = datasets_[i].dataset;
    }
    if (i < datasets_.size()) response->set_next_page_token(absl::StrCat(i));
    return Status::OK;
  }

  Status DeleteDataset(ServerContext* context, const v1::DeleteDatasetRequest* request,
                       google::protobuf::Empty*) override {
    return Delete("DeleteDataset", context, absl::StrCat("dataset ", request->name()));
  }

  Status ReadExamples(ServerContext*, const v1::ReadExamplesRequest* request,
                      v1::ReadExamplesResponse* response) override {
    absl::MutexLock lock(&mutex_);
    for (const StoredDataset& stored : datasets_) {
      if (stored.dataset.name() != request->name()) continue;
      const int64_t rows = stored.dataset.rows();
      if (request->start_row() >= rows) {
        return Status(grpc::StatusCode::OUT_OF_RANGE, "start_row: behind the last row");
      }
      const int64_t end = std::min<int64_t>(rows, request->start_row() + request->row_count());
      const size_t bytes = stored.features.size() / static_cast<size_t>(rows);
      for (int64_t row = request->start_row(); row < end; ++row) {
        response->mutable_features()->append(stored.features, static_cast<size_t>(row) * bytes,
                                             bytes);
        response->add_labels(stored.labels[static_cast<size_t>(row)]);
        response->add_rows(row);
      }
      return Status::OK;
    }
    return NotFound(absl::StrCat("dataset ", request->name()));
  }

  Status CreateTrainingJob(ServerContext* context, const v1::CreateTrainingJobRequest* request,
                           v1::TrainingJob* response) override {
    const Status begun = Begin("CreateTrainingJob", context);
    if (!begun.ok()) return begun;
    absl::MutexLock lock(&mutex_);
    created_ = *request;
    *response = JobLocked(v1::JOB_STATE_QUEUED);
    return Status::OK;
  }

  Status GetTrainingJob(ServerContext*, const v1::GetTrainingJobRequest* request,
                        v1::TrainingJob* response) override {
    if (request->id() != 1) return NotFound(absl::StrCat("job ", request->id()));
    absl::MutexLock lock(&mutex_);
    *response = JobLocked(v1::JOB_STATE_RUNNING);
    return Status::OK;
  }

  Status ListTrainingJobs(ServerContext*, const v1::ListTrainingJobsRequest* request,
                          v1::ListTrainingJobsResponse* response) override {
    absl::MutexLock lock(&mutex_);
    if (request->state() == v1::JOB_STATE_FAILED) return Status::OK;
    *response->add_jobs() = JobLocked(v1::JOB_STATE_RUNNING);
    return Status::OK;
  }

  Status CancelTrainingJob(ServerContext* context, const v1::CancelTrainingJobRequest*,
                           v1::TrainingJob* response) override {
    const Status begun = Begin("CancelTrainingJob", context);
    if (!begun.ok()) return begun;
    absl::MutexLock lock(&mutex_);
    *response = JobLocked(v1::JOB_STATE_CANCELLED);
    return Status::OK;
  }

  Status DeleteTrainingJob(ServerContext* context, const v1::DeleteTrainingJobRequest* request,
                           google::protobuf::Empty*) override {
    return Delete("DeleteTrainingJob", context, absl::StrCat("job ", request->id()));
  }

  Status WatchTrainingJob(ServerContext* context, const v1::WatchTrainingJobRequest* request,
                          grpc::ServerWriter<v1::WatchTrainingJobResponse>* writer) override {
    const Status begun = Begin("WatchTrainingJob", context);
    if (!begun.ok()) return begun;
    if (request->id() != 1) return NotFound(absl::StrCat("job ", request->id()));
    v1::WatchTrainingJobResponse message;
    int points = -1;
    int iterations = 0;
    {
      absl::MutexLock lock(&mutex_);
      *message.mutable_job() = JobLocked(v1::JOB_STATE_RUNNING);
      iterations = iterations_;
      if (!breaks_.empty()) {
        points = breaks_.front();
        breaks_.erase(breaks_.begin());
      }
    }
    writer->Write(message);
    for (int i = request->from_iteration(); iterations == kEndless || i < iterations; ++i) {
      if (points-- == 0) return Status(grpc::StatusCode::UNAVAILABLE, "the server stops");
      message.mutable_progress()->set_iteration(i);
      message.mutable_progress()->set_cost(8.0 / (i + 1));
      message.mutable_progress()->set_elapsed_seconds(0.5 * i);
      if (!writer->Write(message)) return Status::CANCELLED;
    }
    absl::MutexLock lock(&mutex_);
    *message.mutable_job() = JobLocked(end_);
    writer->Write(message);
    return Status::OK;
  }

  Status GetModel(ServerContext*, const v1::GetModelRequest* request,
                  v1::Model* response) override {
    if (request->name() != "digits") return NotFound(absl::StrCat("model ", request->name()));
    response->set_name("digits");
    response->set_latest_version(3);
    response->set_version_count(1);
    absl::MutexLock lock(&mutex_);
    *response->mutable_serving() = settings_;
    return Status::OK;
  }

  Status SetServingSettings(ServerContext* context, const v1::SetServingSettingsRequest* request,
                            v1::Model* response) override {
    const Status begun = Begin("SetServingSettings", context);
    if (!begun.ok()) return begun;
    if (request->settings().max_batch_rows() > 65'536) {
      return Status(grpc::StatusCode::INVALID_ARGUMENT,
                    absl::StrCat("max_batch_rows: expected at most 65,536, got ",
                                 request->settings().max_batch_rows()));
    }
    {
      absl::MutexLock lock(&mutex_);
      settings_ = request->settings();
    }
    v1::GetModelRequest get;
    get.set_name(request->model());
    return GetModel(context, &get, response);
  }

  Status ListModels(ServerContext* context, const v1::ListModelsRequest*,
                    v1::ListModelsResponse* response) override {
    v1::GetModelRequest request;
    request.set_name("digits");
    return GetModel(context, &request, response->add_models());
  }

  Status DeleteModel(ServerContext* context, const v1::DeleteModelRequest* request,
                     google::protobuf::Empty*) override {
    return Delete("DeleteModel", context, absl::StrCat("model ", request->name()));
  }

  Status GetModelVersion(ServerContext*, const v1::GetModelVersionRequest* request,
                         v1::ModelVersion* response) override {
    if (request->model() != "digits" && request->model() != "digits@3") {
      return NotFound(absl::StrCat("model ", request->model()));
    }
    *response = DigitsVersion();
    return Status::OK;
  }

  Status ListModelVersions(ServerContext*, const v1::ListModelVersionsRequest*,
                           v1::ListModelVersionsResponse* response) override {
    *response->add_versions() = DigitsVersion();
    return Status::OK;
  }

  Status DeleteModelVersion(ServerContext* context, const v1::DeleteModelVersionRequest* request,
                            google::protobuf::Empty*) override {
    return Delete("DeleteModelVersion", context,
                  absl::StrCat("version ", request->model(), "@", request->version()));
  }

  Status EvaluateModel(ServerContext* context, const v1::EvaluateModelRequest* request,
                       v1::EvaluateModelResponse* response) override {
    const Status begun = Begin("EvaluateModel", context);
    if (!begun.ok()) return begun;
    response->set_model("digits");
    response->set_version(3);
    *response->mutable_evaluation() = CannedEvaluation(request->part(), request->include_curves());
    return Status::OK;
  }

  Status Delete(const std::string& rpc, ServerContext* context, std::string what) {
    const Status begun = Begin(rpc, context);
    if (!begun.ok()) return begun;
    absl::MutexLock lock(&mutex_);
    deleted_.push_back(std::move(what));
    return Status::OK;
  }

  v1::TrainingJob JobLocked(v1::JobState state) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    v1::TrainingJob job;
    job.set_id(1);
    job.set_model(created_.model().empty() ? "digits" : created_.model());
    job.set_dataset(created_.dataset());
    *job.mutable_config() = created_.config();
    job.mutable_config()->mutable_stopping()->set_max_iterations(100);
    job.set_state(state);
    EndJob(iterations_, job);
    return job;
  }

  CallScript script_;
  FakePrediction prediction_{script_};
  mutable absl::Mutex mutex_;
  std::vector<StoredDataset> datasets_ ABSL_GUARDED_BY(mutex_);
  size_t largest_message_ ABSL_GUARDED_BY(mutex_) = 0;
  int iterations_ ABSL_GUARDED_BY(mutex_) = 3;
  std::vector<int> breaks_ ABSL_GUARDED_BY(mutex_);
  v1::JobState end_ ABSL_GUARDED_BY(mutex_) = v1::JOB_STATE_SUCCEEDED;
  v1::CreateTrainingJobRequest created_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> deleted_ ABSL_GUARDED_BY(mutex_);
  v1::ServingSettings settings_ ABSL_GUARDED_BY(mutex_);
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

FakeMlpd::FakeMlpd() : impl_(std::make_unique<Impl>()) {}
FakeMlpd::~FakeMlpd() = default;

const std::string& FakeMlpd::address() const { return impl_->address_; }

void FakeMlpd::FailNext(const std::string& rpc, int times, const absl::Status& status,
                        absl::Duration retry_delay) {
  const std::string details = retry_delay < absl::ZeroDuration() ? "" : RetryDetails(retry_delay);
  impl_->script_.FailNext(
      rpc, times,
      Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()), details));
}

void FakeMlpd::Hang(const std::string& rpc) { impl_->script_.Hang(rpc); }
int FakeMlpd::calls(const std::string& rpc) const { return impl_->script_.calls(rpc); }

void FakeMlpd::ScriptStream(const StreamScript& script) { impl_->prediction_.ScriptStream(script); }
void FakeMlpd::Gather(int calls) { impl_->prediction_.Gather(calls); }
int FakeMlpd::most_at_once() const { return impl_->prediction_.most_at_once(); }
std::vector<int64_t> FakeMlpd::timeouts_us() const { return impl_->prediction_.timeouts_us(); }

void FakeMlpd::Store(StoredDataset dataset) {
  absl::MutexLock lock(&impl_->mutex_);
  impl_->datasets_.push_back(std::move(dataset));
}

std::vector<FakeMlpd::StoredDataset> FakeMlpd::datasets() const {
  absl::MutexLock lock(&impl_->mutex_);
  return impl_->datasets_;
}

size_t FakeMlpd::largest_upload_message() const {
  absl::MutexLock lock(&impl_->mutex_);
  return impl_->largest_message_;
}

void FakeMlpd::ScriptJob(int iterations, std::vector<int> breaks, v1::JobState end) {
  absl::MutexLock lock(&impl_->mutex_);
  impl_->iterations_ = iterations;
  impl_->breaks_ = std::move(breaks);
  impl_->end_ = end;
}

v1::CreateTrainingJobRequest FakeMlpd::created() const {
  absl::MutexLock lock(&impl_->mutex_);
  return impl_->created_;
}

std::vector<std::string> FakeMlpd::deleted() const {
  absl::MutexLock lock(&impl_->mutex_);
  return impl_->deleted_;
}

}  // namespace mlp

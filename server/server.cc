#include "server/server.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <thread>
#include <utility>
#include <vector>

#include <absl/strings/str_cat.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/service_type.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/status_macros.h"
#include "server/address.h"
#include "server/api/dataset_service.h"
#include "server/api/model_service.h"
#include "server/api/prediction_service.h"
#include "server/api/training_service.h"
#include "server/inference/resident_models.h"
#include "server/jobs/scheduler.h"
#include "server/store/sqlite_store.h"
#include "server/telemetry/metrics.h"

namespace mlp {
namespace {

constexpr int kMaxGrpcThreads = 512;

absl::Status CheckRange(absl::string_view option, int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(option, ": expected ", least, " to ", most, ", got ", value));
}

absl::Status CheckOptions(const ServerOptions& options) {
  constexpr int64_t kAny = std::numeric_limits<int64_t>::max();
  if (options.data_dir.empty()) {
    return absl::InvalidArgumentError("data-dir: expected a folder, got nothing");
  }
  MLP_RETURN_IF_ERROR(CheckRange("max-running-jobs", options.max_running_jobs, 1, 64));
  MLP_RETURN_IF_ERROR(CheckRange("training-threads", options.training_threads, 0, 1024));
  MLP_RETURN_IF_ERROR(CheckRange("max-queued-jobs", options.max_queued_jobs, 1, 1000000));
  MLP_RETURN_IF_ERROR(CheckRange("max-job-memory-bytes", options.max_job_memory_bytes, 0, kAny));
  MLP_RETURN_IF_ERROR(CheckRange("predict-threads", options.predict_threads, 1, 256));
  MLP_RETURN_IF_ERROR(CheckRange("model-memory-bytes", options.model_memory_bytes, 1, kAny));
  MLP_RETURN_IF_ERROR(CheckRange("max-dataset-bytes", options.max_dataset_bytes, 1, kAny));
  return CheckRange("max-message-bytes", options.max_message_bytes, 2 << 20,
                    std::numeric_limits<int>::max());
}

// Half of the machine's memory, shared by the jobs that may run at the same time.
int64_t DefaultJobMemory(int max_running_jobs) {
  return int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE) / 2 / max_running_jobs;
}

int ThreadsOrCores(int threads) {
  if (threads > 0) return threads;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

class ServerImpl final : public Server {
 public:
  ServerImpl(const ServerOptions& options, std::unique_ptr<Store> store)
      : options_(options),
        store_(std::move(store)),
        models_(*store_, {.budget_bytes = options.model_memory_bytes}) {}

  ~ServerImpl() override {
    if (!stopped_) Shutdown(absl::ZeroDuration());
  }

  absl::Status Listen() {
    MLP_ASSIGN_OR_RETURN(const Address wanted, ParseAddress("grpc-address", options_.grpc_address));
    if (!options_.metrics_address.empty()) {
      MLP_ASSIGN_OR_RETURN(addresses_.metrics, metrics_.Expose(options_.metrics_address));
    }
    MLP_ASSIGN_OR_RETURN(scheduler_, StartScheduler());

    datasets_ =
        MakeDatasetService({.max_dataset_bytes = options_.max_dataset_bytes}, *store_, metrics_);
    training_ = MakeTrainingService(
        *scheduler_, *store_, metrics_,
        {.max_job_memory_bytes = options_.max_job_memory_bytes > 0
                                     ? options_.max_job_memory_bytes
                                     : DefaultJobMemory(options_.max_running_jobs),
         .training_threads = ThreadsOrCores(options_.training_threads)});
    model_service_ =
        MakeModelService({.evaluation_threads = ThreadsOrCores(options_.training_threads)}, *store_,
                         models_, metrics_);

    grpc::EnableDefaultHealthCheckService(true);
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort(options_.grpc_address, grpc::InsecureServerCredentials(), &port);
    // Without this a second server would share the port in silence and take half of the calls.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.SetMaxReceiveMessageSize(options_.max_message_bytes);
    builder.SetMaxSendMessageSize(options_.max_message_bytes);
    // Each RPC but Predict has a thread while it lasts, watches for long: JobScheduler bounds
    // these.
    grpc::ResourceQuota quota("mlpd");
    quota.SetMaxThreads(kMaxGrpcThreads);
    builder.SetResourceQuota(quota);
    builder.RegisterService(datasets_.get());
    builder.RegisterService(training_.get());
    builder.RegisterService(model_service_.get());
    prediction_ = PredictionServer::Create({.polling_threads = options_.predict_threads}, models_,
                                           metrics_, builder);
    grpc_server_ = builder.BuildAndStart();
    if (grpc_server_ == nullptr || port == 0) {
      return absl::FailedPreconditionError(
          absl::StrCat("grpc-address: cannot listen on ", options_.grpc_address,
                       " (expected HOST:PORT of this machine, not in use)"));
    }
    addresses_.grpc = Address{wanted.host, port}.ToString();
    prediction_->Start();
    metrics_.SetGauges([this] { return Gauges(); });
    SetHealth(true);
    scheduler_->Resume();  // not before all is well: a job that is started counts as an attempt
    return absl::OkStatus();
  }

  const ServerAddresses& addresses() const override { return addresses_; }

  void Shutdown(absl::Duration grace) override {
    stopped_ = true;
    if (grpc_server_ != nullptr) {
      SetHealth(false);
      // Ends the watchers, so that the streams do not use up the grace.
      scheduler_->Stop();
      grpc_server_->Shutdown(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(grace));
    } else if (scheduler_ != nullptr) {
      scheduler_->Stop();
    }
    if (prediction_ != nullptr) prediction_->Stop();
    metrics_.Close();
  }

 private:
  absl::StatusOr<std::unique_ptr<JobScheduler>> StartScheduler() {
    JobSchedulerOptions options;
    options.max_running_jobs = options_.max_running_jobs;
    options.max_queued_jobs = options_.max_queued_jobs;
    options.training_threads = ThreadsOrCores(options_.training_threads);
    options.paused = true;
    options.on_published = [this](const v1::ModelVersion& version) {
      models_.Refresh(version.model());
    };
    return JobScheduler::Start(options, *store_, metrics_, Clock::System());
  }

  ServerGauges Gauges() {
    ServerGauges gauges;
    if (absl::StatusOr<std::vector<int64_t>> jobs = store_->CountJobs(); jobs.ok()) {
      gauges.jobs_by_state = *std::move(jobs);
    }
    gauges.resident_models = models_.models();
    gauges.resident_bytes = models_.bytes();
    return gauges;
  }

  void SetHealth(bool serving) {
    grpc::HealthCheckServiceInterface& health = *grpc_server_->GetHealthCheckService();
    health.SetServingStatus(serving);
    for (const char* service :
         {"DatasetService", "ModelService", "PredictionService", "TrainingService"}) {
      health.SetServingStatus(absl::StrCat("mlp.v1.", service), serving);
    }
  }

  // In the order in which they use each other: each one is gone before what it uses.
  const ServerOptions options_;
  ServerAddresses addresses_;
  const std::unique_ptr<Store> store_;
  ResidentModels models_;
  Metrics metrics_;
  std::unique_ptr<JobScheduler> scheduler_;
  std::unique_ptr<grpc::Service> datasets_;
  std::unique_ptr<grpc::Service> training_;
  std::unique_ptr<grpc::Service> model_service_;
  std::unique_ptr<PredictionServer> prediction_;
  std::unique_ptr<grpc::Server> grpc_server_;
  bool stopped_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const ServerOptions& options) {
  MLP_RETURN_IF_ERROR(CheckOptions(options));
  MLP_ASSIGN_OR_RETURN(std::unique_ptr<Store> store,
                       OpenSqliteStore(options.data_dir, Clock::System()));
  auto server = std::make_unique<ServerImpl>(options, std::move(store));
  MLP_RETURN_IF_ERROR(server->Listen());
  return server;
}

}  // namespace mlp

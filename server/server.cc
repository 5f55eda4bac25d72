#include "server/server.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include <absl/strings/str_cat.h>
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/status_macros.h"
#include "server/address.h"
#include "server/api/admin_service.h"
#include "server/api/dataset_service.h"
#include "server/api/health_service.h"
#include "server/api/inference_server.h"
#include "server/api/model_files_service.h"
#include "server/api/model_life_service.h"
#include "server/api/model_service.h"
#include "server/api/reflection_service.h"
#include "server/api/training_service.h"
#include "server/config/setting_table.h"
#include "server/inference/batcher.h"
#include "server/inference/preload.h"
#include "server/inference/resident_models.h"
#include "server/inference/retention.h"
#include "server/jobs/scheduler.h"
#include "server/oip/oip_service.h"
#include "server/rpc/blocking_server.h"
#include "server/store/restore_backup.h"
#include "server/store/sqlite_store.h"
#include "server/telemetry/log.h"
#include "server/telemetry/metrics.h"

namespace mlp {
namespace {

// Calls other than inference that run at the same time, a thread each; watches last for long:
// JobScheduler bounds these.
constexpr int kMaxBlockingCalls = 512;
// Calls in progress on one connection; further ones wait at the client.
constexpr int kMaxConcurrentStreams = 2048;
// What may be in memory of messages received, in messages of the largest size, and in bytes at
// least. Where peers send more, gRPC ends calls, half-received ones too.
constexpr int64_t kMaxReceivedMessages = 4;
constexpr int64_t kMinReceivedBytes = int64_t{64} << 20;
// A connection that says nothing for so long is asked whether its peer is still there, and closed
// where no answer comes.
constexpr int kKeepaliveMs = 60'000;
constexpr int kKeepaliveTimeoutMs = 20'000;

// Half of the machine's memory, shared by the jobs that may run at the same time.
int64_t DefaultJobMemory(int max_running_jobs) {
  return int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE) / 2 / max_running_jobs;
}

int64_t MaxJobMemory(const ServerOptions& options) {
  if (options.max_job_memory_bytes > 0) return options.max_job_memory_bytes;
  return DefaultJobMemory(options.max_running_jobs);
}

JobLimits LimitsOfJobs(const ServerOptions& options) {
  return {.max_running_jobs = options.max_running_jobs,
          .max_queued_jobs = options.max_queued_jobs,
          .checkpoint_interval = absl::Seconds(options.checkpoint_seconds)};
}

int ThreadsOrCores(int threads) {
  if (threads > 0) return threads;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

class ServerImpl final : public Server {
 public:
  ServerImpl(const ServerOptions& options, std::unique_ptr<Store> store,
             std::vector<std::string> recovered)
      : options_(options),
        recovered_(std::move(recovered)),
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
    // Before anybody can call: who finds the server finds the models in memory.
    for (const absl::Status& failure : Preload(options_.preload, *store_, models_).failures) {
      LogError("preload", failure);
    }

    AddServices();
    ApplyReloadable(options_);
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort(options_.grpc_address, grpc::InsecureServerCredentials(), &port);
    // Without this a second server would share the port in silence and take half of the calls.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    BoundConnections(builder);
    for (int i = 0; i < options_.predict_threads; ++i) {
      pollers_.push_back(std::make_unique<Poller>(builder));
    }
    batcher_ = std::make_unique<Batcher>(
        BatcherOptions{.threads = ThreadsOrCores(0)}, models_, metrics_, Clock::System(),
        BatcherHooks{
            .run_elsewhere =
                [this](std::function<void()> task) { return workers_.Run(std::move(task)); },
            .wake = [this] { pollers_.front()->Wake(); }});
    blocking_ = std::make_unique<BlockingServer>(methods_, workers_, *pollers_.front(), builder);
    inference_ =
        InferenceServer::Create(pollers_, *batcher_, metrics_, MaxReceivedBytes() / 2, builder);
    grpc_server_ = builder.BuildAndStart();
    if (grpc_server_ == nullptr || port == 0) {
      return absl::FailedPreconditionError(
          absl::StrCat("grpc-address: cannot listen on ", options_.grpc_address,
                       " (expected HOST:PORT of this machine, not in use)"));
    }
    addresses_.grpc = Address{wanted.host, port}.ToString();
    blocking_->Start();
    inference_->Start();
    metrics_.SetGauges([this] { return Gauges(); });
    health_.SetServing(true);
    scheduler_->Resume();  // not before all is well: a job that is started counts as an attempt
    return absl::OkStatus();
  }

  const std::vector<std::string>& recovered() const override { return recovered_; }
  const ServerAddresses& addresses() const override { return addresses_; }

  absl::Status Reconfigure(const ServerOptions& options) override {
    MLP_RETURN_IF_ERROR(CheckOptions(options));
    ApplyReloadable(options);
    return absl::OkStatus();
  }

  void Shutdown(absl::Duration grace) override {
    stopped_ = true;
    health_.SetServing(false);
    health_.Stop();
    // Ends the watchers, so that the streams do not use up the grace.
    if (scheduler_ != nullptr) scheduler_->Stop();
    if (grpc_server_ != nullptr) {
      inference_->Drain();
      grpc_server_->Shutdown(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(grace));
    }
    if (batcher_ != nullptr) batcher_->Stop();
    workers_.Stop();
    for (const auto& poller : pollers_) poller->Stop();
    metrics_.Close();
  }

 private:
  // All that can change while the server runs, each where it is kept: at the start and by
  // Reconfigure. Nothing here can fail, so that it is all or nothing.
  void ApplyReloadable(const ServerOptions& options) {
    scheduler_->SetLimits(LimitsOfJobs(options));
    training_->SetMaxJobMemory(MaxJobMemory(options));
    datasets_->SetLimits({.max_dataset_bytes = options.max_dataset_bytes});
    models_.SetBudget(options.model_memory_bytes);
    store_->SetQuotas({.datasets = options.quota_datasets,
                       .bytes = options.quota_bytes,
                       .jobs = options.quota_jobs,
                       .versions = options.quota_versions});
  }

  absl::StatusOr<std::unique_ptr<JobScheduler>> StartScheduler() {
    JobSchedulerOptions options;
    options.limits = LimitsOfJobs(options_);
    options.training_threads = ThreadsOrCores(options_.training_threads);
    options.paused = true;
    options.on_published = [this](const v1::ModelVersion& version) { OnPublished(version); };
    return JobScheduler::Start(options, *store_, metrics_, Clock::System());
  }

  void OnPublished(const v1::ModelVersion& version) {
    models_.Refresh(version.model());
    health_.Changed();
    const absl::Status status = DeleteSurplusVersions(version.model(), *store_, models_);
    if (!status.ok()) LogError("retention", status);
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

  int64_t MaxReceivedBytes() const {
    return std::max(kMaxReceivedMessages * options_.max_message_bytes, kMinReceivedBytes);
  }

  void BoundConnections(grpc::ServerBuilder& builder) const {
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxConcurrentStreams);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    builder.SetMaxReceiveMessageSize(options_.max_message_bytes);
    builder.SetMaxSendMessageSize(options_.max_message_bytes);
    builder.SetResourceQuota(
        grpc::ResourceQuota("received").Resize(static_cast<size_t>(MaxReceivedBytes())));
  }

  void AddServices() {
    std::unique_ptr<DatasetService> datasets =
        MakeDatasetService({.max_dataset_bytes = options_.max_dataset_bytes}, *store_);
    std::unique_ptr<TrainingService> training =
        MakeTrainingService(*scheduler_, *store_,
                            {.max_job_memory_bytes = MaxJobMemory(options_),
                             .training_threads = ThreadsOrCores(options_.training_threads)});
    datasets_ = datasets.get();
    training_ = training.get();
    services_.push_back(std::move(datasets));
    services_.push_back(std::move(training));
    services_.push_back(
        MakeModelService({.evaluation_threads = ThreadsOrCores(options_.training_threads)}, *store_,
                         models_, metrics_));
    services_.push_back(MakeModelLifeService(*store_, models_, health_));
    services_.push_back(MakeModelFilesService(
        {.on_published = [this](const v1::ModelVersion& version) { OnPublished(version); }},
        *store_));
    services_.push_back(MakeAdminService(*store_));
    services_.push_back(
        std::make_unique<OipService>(*store_, models_, [this] { return health_.serving(); }));
    HealthService::Options health;
    health.services = {"mlp.v1.AdminService",      "mlp.v1.DatasetService",
                       "mlp.v1.TrainingService",   "mlp.v1.ModelService",
                       "mlp.v1.PredictionService", std::string(OipService::kName)};
    if (options_.reflection) {
      std::vector<std::string> listed = health.services;
      listed.insert(listed.end(), {"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                                   "grpc.reflection.v1alpha.ServerReflection"});
      services_.push_back(std::make_unique<ReflectionService>(std::move(listed)));
    }
    services_.push_back(std::make_unique<HealthService>(
        health_, [this](absl::string_view reference) { return models_.Condition(reference); },
        health));
    for (const auto& service : services_) service->AddTo(methods_);
  }

  // In the order in which they use each other: each one is gone before what it uses.
  const ServerOptions options_;
  const std::vector<std::string> recovered_;
  ServerAddresses addresses_;
  const std::unique_ptr<Store> store_;
  ResidentModels models_;
  Metrics metrics_;
  HealthState health_;
  std::unique_ptr<JobScheduler> scheduler_;
  std::vector<std::unique_ptr<RpcService>> services_;
  DatasetService* datasets_ = nullptr;   // of services_
  TrainingService* training_ = nullptr;  // of services_
  MethodTable methods_{metrics_};
  WorkerPool workers_{{.max_threads = kMaxBlockingCalls}};
  // Of gRPC: the queues go last.
  std::vector<std::unique_ptr<Poller>> pollers_;
  std::unique_ptr<Batcher> batcher_;
  std::unique_ptr<BlockingServer> blocking_;
  std::unique_ptr<InferenceServer> inference_;
  std::unique_ptr<grpc::Server> grpc_server_;
  bool stopped_ = false;
};

absl::Status DescribeRecovery(Store& store, std::vector<std::string>& lines) {
  const StoreRecovery& cleared = store.recovery();
  if (cleared.datasets + cleared.versions + cleared.checkpoints > 0) {
    lines.push_back(absl::StrCat("cleared away what was cut off: ", cleared.datasets,
                                 " uploads or deleted datasets, ", cleared.versions,
                                 " deleted versions, ", cleared.checkpoints, " checkpoints"));
  }
  MLP_ASSIGN_OR_RETURN(const std::vector<v1::TrainingJob> jobs, store.UnfinishedJobs());
  const auto running = std::count_if(jobs.begin(), jobs.end(), [](const v1::TrainingJob& job) {
    return job.state() == v1::JOB_STATE_RUNNING;
  });
  if (!jobs.empty()) {
    lines.push_back(absl::StrCat("took up ", jobs.size(), " jobs, of which ", running,
                                 " ran when the server ended"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const ServerOptions& options) {
  MLP_RETURN_IF_ERROR(CheckOptions(options));
  std::vector<std::string> recovered;
  if (!options.restore.empty()) {
    MLP_ASSIGN_OR_RETURN(const VerifiedStore restored,
                         RestoreBackup(options.restore, options.data_dir, Clock::System()));
    recovered.push_back(absl::StrCat("restored ", restored.datasets, " datasets, ",
                                     restored.versions, " versions and ", restored.checkpoints,
                                     " checkpoints, all undamaged"));
  }
  MLP_ASSIGN_OR_RETURN(std::unique_ptr<Store> store,
                       OpenSqliteStore(options.data_dir, Clock::System()));
  MLP_RETURN_IF_ERROR(DescribeRecovery(*store, recovered));
  auto server = std::make_unique<ServerImpl>(options, std::move(store), std::move(recovered));
  MLP_RETURN_IF_ERROR(server->Listen());
  return server;
}

}  // namespace mlp

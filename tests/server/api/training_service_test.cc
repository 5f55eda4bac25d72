// TrainingService through a real server and client in one process.
#include "server/api/training_service.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "mlp/v1/training.grpc.pb.h"
#include "tests/server/jobs/job_fixture.h"
#include "tests/server/rpc/rpc_test_server.h"

namespace mlp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class TrainingService : public JobFixture {
 protected:
  ~TrainingService() override { StopServer(); }

  // Serves jobs that `train` trains.
  void Serve(TrainFunction train, const TrainingServiceOptions& service_options = {}) {
    JobSchedulerOptions options = Options();
    options.train = std::move(train);
    options.limits.max_queued_jobs = 3;
    scheduler_ = StartScheduler(options);
    service_ = MakeTrainingService(*scheduler_, store(), service_options);
    server_ = std::make_unique<RpcTestServer>(*service_, metrics());
    stub_ = v1::TrainingService::NewStub(
        grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials()));
  }

  void StopServer() {
    if (scheduler_ != nullptr) scheduler_->Stop();
    server_.reset();
    service_.reset();
    scheduler_.reset();
  }

  static v1::CreateTrainingJobRequest Request(int64_t seed) {
    v1::CreateTrainingJobRequest request;
    request.set_model("digits");
    request.set_dataset("blobs");
    *request.mutable_config() = SmallConfig(seed);
    return request;
  }

  grpc::Status Create(const v1::CreateTrainingJobRequest& request, v1::TrainingJob* job) {
    grpc::ClientContext context;
    return stub_->CreateTrainingJob(&context, request, job);
  }
  int64_t Create(int64_t seed) {
    v1::TrainingJob job;
    const grpc::Status status = Create(Request(seed), &job);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return job.id();
  }
  grpc::Status Get(int64_t id, v1::TrainingJob* job) {
    grpc::ClientContext context;
    v1::GetTrainingJobRequest request;
    request.set_id(id);
    return stub_->GetTrainingJob(&context, request, job);
  }
  grpc::Status Cancel(int64_t id, v1::TrainingJob* job) {
    grpc::ClientContext context;
    v1::CancelTrainingJobRequest request;
    request.set_id(id);
    return stub_->CancelTrainingJob(&context, request, job);
  }
  grpc::Status Delete(int64_t id) {
    grpc::ClientContext context;
    v1::DeleteTrainingJobRequest request;
    request.set_id(id);
    google::protobuf::Empty empty;
    return stub_->DeleteTrainingJob(&context, request, &empty);
  }
  grpc::Status List(const v1::ListTrainingJobsRequest& request,
                    v1::ListTrainingJobsResponse* response) {
    response->Clear();
    grpc::ClientContext context;
    return stub_->ListTrainingJobs(&context, request, response);
  }
  struct Stream {
    std::vector<v1::TrainingJob> jobs;
    std::vector<v1::ProgressPoint> points;
    grpc::Status status;
  };
  Stream Watch(int64_t id, int from) {
    grpc::ClientContext context;
    v1::WatchTrainingJobRequest request;
    request.set_id(id);
    request.set_from_iteration(from);
    const auto reader = stub_->WatchTrainingJob(&context, request);
    Stream stream;
    v1::WatchTrainingJobResponse response;
    while (reader->Read(&response)) {
      if (response.has_job()) stream.jobs.push_back(response.job());
      if (response.has_progress()) stream.points.push_back(response.progress());
    }
    stream.status = reader->Finish();
    return stream;
  }

  SteppedTrainer trainer_;
  std::unique_ptr<JobScheduler> scheduler_;
  std::unique_ptr<RpcService> service_;
  std::unique_ptr<RpcTestServer> server_;
  std::unique_ptr<v1::TrainingService::Stub> stub_;
};

TEST_F(TrainingService, TrainsAndStreamsTheCost) {
  Serve(Train);
  v1::TrainingJob created;
  const grpc::Status status = Create(Request(4), &created);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(created.state(), v1::JOB_STATE_QUEUED);
  EXPECT_EQ(created.dataset_sha256().size(), 64u);
  EXPECT_TRUE(created.has_create_time());

  const Stream stream = Watch(created.id(), 0);
  ASSERT_TRUE(stream.status.ok()) << stream.status.error_message();
  ASSERT_EQ(stream.jobs.size(), 2u);
  const v1::TrainingJob& ended = stream.jobs[1];
  EXPECT_EQ(ended.state(), v1::JOB_STATE_SUCCEEDED) << ended.message();
  EXPECT_EQ(ended.result().version(), 1);
  ASSERT_EQ(static_cast<int>(stream.points.size()), ended.result().iterations() + 1);
  for (size_t i = 0; i < stream.points.size(); ++i) {
    EXPECT_EQ(stream.points[i].iteration(), static_cast<int>(i));
  }
  EXPECT_EQ(stream.points.front().cost(), ended.result().initial_cost());
  EXPECT_LT(stream.points.back().cost(), 0.8 * stream.points.front().cost());
}

TEST_F(TrainingService, EchoesTheConfigurationWithEveryDefaultFilledIn) {
  Serve(trainer_.Function(0));
  v1::CreateTrainingJobRequest request = Request(3);
  request.mutable_config()->clear_stopping();
  v1::TrainingJob job;
  ASSERT_TRUE(Create(request, &job).ok());
  EXPECT_EQ(job.config().scaling(), v1::SCALING_STANDARD);  // float32 features
  EXPECT_EQ(job.config().optimizer().kind(), v1::OPTIMIZER_KIND_LBFGS);
  EXPECT_EQ(job.config().stopping().max_iterations(), 1000);
  EXPECT_EQ(job.config().split().training(), 0.7);
  EXPECT_EQ(job.config().lambda(), 0.1);
  EXPECT_EQ(job.config().seed(), 3);
  EXPECT_THAT(job.config().network().activations(), ElementsAre(v1::ACTIVATION_SIGMOID));
}

TEST_F(TrainingService, RefusesBadRequestsAndLeavesNothingBehind) {
  Serve(trainer_.Function(0));
  struct Case {
    std::function<void(v1::CreateTrainingJobRequest&)> spoil;
    grpc::StatusCode code;
    std::string message;  // begins with
  };
  using R = v1::CreateTrainingJobRequest;
  const auto invalid = grpc::StatusCode::INVALID_ARGUMENT;
  const auto precondition = grpc::StatusCode::FAILED_PRECONDITION;
  const std::vector<Case> cases = {
      {[](R& r) { r.set_model("../digits"); }, invalid, "model: expected a name"},
      {[](R& r) { r.clear_model(); }, invalid, "model: expected a name"},
      {[](R& r) { r.set_dataset("a/b"); }, invalid, "dataset: expected a name"},
      {[](R& r) { r.set_dataset("unknown"); }, grpc::StatusCode::NOT_FOUND, ""},
      {[](R& r) { r.set_request_id(std::string(129, 'x')); }, invalid,
       "request_id: expected at most 128 characters, got 129"},
      {[](R& r) { r.clear_config(); }, invalid, "config.network.layers: expected 2 to 65"},
      {[](R& r) {
         r.mutable_config()->mutable_optimizer()->set_kind(static_cast<v1::OptimizerKind>(99));
       },
       invalid,
       "config.optimizer.kind: expected LBFGS, CONJUGATE_GRADIENT, SGD, ADAM or ADAMW, got 99"},
      {[](R& r) { r.mutable_config()->mutable_optimizer()->set_batch_size(64); }, invalid,
       "config.optimizer.batch_size: expected unset, as LBFGS has no use for it"},
      {[](R& r) { r.mutable_config()->mutable_stopping()->set_patience(3); }, invalid,
       "config.stopping.patience"},
      {[](R& r) { r.mutable_config()->set_initial_model("digits@"); }, invalid,
       "config.initial_model"},
      {[](R& r) { r.mutable_config()->set_initial_model("unknown"); }, grpc::StatusCode::NOT_FOUND,
       "config.initial_model: model unknown: not found"},
      {[](R& r) { r.mutable_config()->mutable_network()->set_layers(0, 5); }, precondition,
       "config.network.layers: expected 4"},
      {[](R& r) { r.mutable_config()->mutable_network()->set_layers(2, 4); }, precondition,
       "config.network.layers: expected 3"},
      {[](R& r) { r.mutable_config()->mutable_network()->set_layers(1, 0); }, invalid,
       "config.network.layers"},
      {[](R& r) { r.mutable_config()->mutable_network()->set_layers(1, 1 << 30); }, invalid,
       "config.network.layers"},
      {[](R& r) {
         r.mutable_config()->mutable_network()->set_layers(1, 1 << 20);
         r.mutable_config()->mutable_network()->add_layers(3);
         r.mutable_config()->mutable_network()->set_layers(2, 1 << 20);
       },
       grpc::StatusCode::RESOURCE_EXHAUSTED, "config.network.layers"},
      {[](R& r) { r.mutable_config()->mutable_network()->add_activations(v1::ACTIVATION_STEP); },
       precondition, "config.network.activations"},
      {[](R& r) { r.mutable_config()->set_lambda(-1); }, invalid, "config.lambda: expected"},
      {[](R& r) { r.mutable_config()->mutable_stopping()->set_max_iterations(-1); }, invalid,
       "config.stopping.max_iterations: expected"},
      {[](R& r) { r.mutable_config()->mutable_stopping()->mutable_time_limit(); }, invalid,
       "config.stopping.time_limit: expected"},
      {[](R& r) { r.mutable_config()->mutable_split()->set_training(0.5); }, invalid,
       "config.split"},
      {[](R& r) {
         r.mutable_config()->mutable_split()->set_training(0.999);
         r.mutable_config()->mutable_split()->set_test(0.001);
       },
       precondition, "config.split"},
      {[](R& r) { r.mutable_config()->mutable_study(); }, invalid,
       "config.study: expected one of k_fold"},
      {[](R& r) { r.mutable_config()->mutable_study()->mutable_k_fold()->set_folds(1); }, invalid,
       "config.study.k_fold.folds: expected 2 to 100, got 1"},
      {[](R& r) { r.mutable_config()->mutable_study()->mutable_k_fold()->set_folds(22); },
       precondition, "config.study.k_fold.folds: expected at most 21, the examples of class"},
      {[](R& r) { r.mutable_config()->mutable_study()->mutable_lambda_curve(); }, invalid,
       "config.split.validation: expected a fraction above 0, as study.lambda_curve needs"},
      {[](R& r) { r.mutable_config()->mutable_study()->mutable_search()->add_parameters(); },
       invalid, "config.study.search.parameters[0].name: expected one of lambda"},
      {[](R& r) {
         v1::SearchParameter& units =
             *r.mutable_config()->mutable_study()->mutable_search()->add_parameters();
         units.set_name("network.hidden_units");
         units.add_values(5);
         units.add_values(1 << 20);
         r.mutable_config()->mutable_network()->set_layers(2, 5);
         r.mutable_config()->mutable_network()->add_layers(3);
         r.mutable_config()->mutable_split()->set_training(0.5);
         r.mutable_config()->mutable_split()->set_validation(0.5);
       },
       invalid, "config.study.search.parameters[0].values[1]: network."},
  };
  for (size_t i = 0; i < cases.size(); ++i) {
    v1::CreateTrainingJobRequest request = Request(1);
    cases[i].spoil(request);
    v1::TrainingJob job;
    const grpc::Status status = Create(request, &job);
    EXPECT_EQ(status.error_code(), cases[i].code) << i << ": " << status.error_message();
    EXPECT_THAT(status.error_message(), StartsWith(cases[i].message)) << i;
  }
  v1::ListTrainingJobsResponse jobs;
  ASSERT_TRUE(List({}, &jobs).ok());
  EXPECT_EQ(jobs.jobs_size(), 0);
}

// Each run has to fit, not only the network that is asked for.
TEST_F(TrainingService, RefusesASearchWithARunThatIsTooLarge) {
  Serve(trainer_.Function(0), {.max_job_memory_bytes = 1 << 20});
  v1::CreateTrainingJobRequest request = Request(1);
  v1::SearchParameter& units =
      *request.mutable_config()->mutable_study()->mutable_search()->add_parameters();
  units.set_name("network.hidden_units");
  units.add_values(5);
  units.add_values(100'000);
  request.mutable_config()->mutable_split()->set_training(0.5);
  request.mutable_config()->mutable_split()->set_validation(0.5);
  v1::TrainingJob job;
  const grpc::Status status = Create(request, &job);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
  EXPECT_THAT(status.error_message(), StartsWith("config.network.layers: training "));
}

TEST_F(TrainingService, FillsInTheDefaultsOfAStudy) {
  Serve(trainer_.Function(0));
  v1::CreateTrainingJobRequest request = Request(1);
  request.set_request_id("study");
  request.mutable_config()->mutable_study()->mutable_k_fold();
  v1::TrainingJob job;
  grpc::Status status = Create(request, &job);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(job.config().study().k_fold().folds(), 5);
  // Repeated with the same id: the same job, for the same study only.
  v1::TrainingJob again;
  ASSERT_TRUE(Create(request, &again).ok());
  EXPECT_EQ(again.id(), job.id());
  request.mutable_config()->mutable_study()->mutable_k_fold()->set_folds(6);
  status = Create(request, &again);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("was used before"));
}

TEST_F(TrainingService, AFullQueueIsResourceExhausted) {
  Serve(trainer_.Function(0));
  Create(1);
  trainer_.AwaitStep(1, -1);
  for (int64_t seed = 2; seed <= 4; ++seed) Create(seed);
  v1::TrainingJob job;
  EXPECT_EQ(Create(Request(5), &job).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(TrainingService, ARepeatedRequestIdGetsTheSameJobForTheSameRequestOnly) {
  Serve(trainer_.Function(0));
  v1::CreateTrainingJobRequest request = Request(1);
  request.set_request_id("once");
  v1::TrainingJob first;
  v1::TrainingJob again;
  ASSERT_TRUE(Create(request, &first).ok());
  ASSERT_TRUE(Create(request, &again).ok());
  EXPECT_EQ(first.id(), again.id());

  request.mutable_config()->set_lambda(7);
  const grpc::Status status = Create(request, &again);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(),
            absl::StrCat("request_id: was used before for job ", first.id(),
                         ", with another model, dataset, configuration or publication"));
}

TEST_F(TrainingService, RecordsTheVersionThatATrainingStartsFrom) {
  Serve(Train);
  const Stream first = Watch(Create(1), 0);
  v1::CreateTrainingJobRequest request = Request(2);
  request.mutable_config()->set_initial_model("digits");
  request.set_request_id("once");
  v1::TrainingJob job;
  const grpc::Status status = Create(request, &job);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(job.config().initial_model(), "digits@1");
  EXPECT_EQ(job.config().scaling(), v1::SCALING_UNSPECIFIED);
  const Stream second = Watch(job.id(), 0);
  const v1::TrainingResult& result = second.jobs.back().result();
  EXPECT_EQ(result.initial_version(), 1);
  EXPECT_EQ(result.version(), 2);
  // Another split, but the same blobs: it begins where the first one ended, about.
  EXPECT_LT(result.initial_cost(), 0.7 * first.jobs.back().result().initial_cost());

  // The newest version is another one now, but the request is the same.
  v1::TrainingJob again;
  ASSERT_TRUE(Create(request, &again).ok());
  EXPECT_EQ(again.id(), job.id());
  request.mutable_config()->set_initial_model("digits@2");
  EXPECT_EQ(Create(request, &again).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(TrainingService, RefusesAModelOfAnotherShapeToStartFrom) {
  Serve(Train);
  Watch(Create(1), 0);
  v1::CreateTrainingJobRequest request = Request(2);
  request.mutable_config()->set_initial_model("digits@1");
  request.mutable_config()->mutable_network()->set_layers(1, 6);
  v1::TrainingJob job;
  const grpc::Status status = Create(request, &job);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(status.error_message(), "config.initial_model: expected layers 4-6-3, got 4-5-3");
}

TEST_F(TrainingService, ListsNewestFirstInPagesAndByFilter) {
  Serve(trainer_.Function(0));
  trainer_.Allow(1, 0);
  const int64_t ended = Create(1);
  ASSERT_TRUE(Watch(ended, 0).status.ok());
  const int64_t running = Create(2);
  trainer_.AwaitStep(2, -1);
  v1::CreateTrainingJobRequest other = Request(3);
  other.set_model("other");
  v1::TrainingJob queued;
  ASSERT_TRUE(Create(other, &queued).ok());

  v1::ListTrainingJobsRequest request;
  v1::ListTrainingJobsResponse response;
  request.set_page_size(2);
  ASSERT_TRUE(List(request, &response).ok());
  ASSERT_EQ(response.jobs_size(), 2);
  EXPECT_EQ(response.jobs(0).id(), queued.id());
  EXPECT_EQ(response.jobs(1).id(), running);
  const std::string token = response.next_page_token();
  request.set_page_token(token);
  ASSERT_TRUE(List(request, &response).ok());
  ASSERT_EQ(response.jobs_size(), 1);
  EXPECT_EQ(response.jobs(0).id(), ended);
  EXPECT_EQ(response.next_page_token(), "");

  // A token of this list does not fit another one.
  request.set_model("digits");
  EXPECT_EQ(List(request, &response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  request.clear_page_token();
  ASSERT_TRUE(List(request, &response).ok());
  EXPECT_EQ(response.jobs_size(), 2);
  request.set_state(v1::JOB_STATE_RUNNING);
  ASSERT_TRUE(List(request, &response).ok());
  ASSERT_EQ(response.jobs_size(), 1);
  EXPECT_EQ(response.jobs(0).id(), running);

  request.set_state(static_cast<v1::JobState>(42));
  const grpc::Status status = List(request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "state: expected 0 to 5, got 42");
  request.clear_state();
  request.set_model("UPPER");
  EXPECT_EQ(List(request, &response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(TrainingService, CancelsAndDeletes) {
  Serve(trainer_.Function(10));
  const int64_t id = Create(1);
  trainer_.Allow(1, 3);
  trainer_.AwaitStep(1, 3);
  EXPECT_EQ(Delete(id).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  v1::TrainingJob job;
  ASSERT_TRUE(Cancel(id, &job).ok());
  const Stream stream = Watch(id, 2);
  ASSERT_TRUE(stream.status.ok());
  EXPECT_EQ(stream.jobs.back().state(), v1::JOB_STATE_CANCELLED);
  ASSERT_EQ(stream.points.size(), 2u);
  EXPECT_EQ(stream.points[0].iteration(), 2);

  EXPECT_TRUE(Delete(id).ok());
  EXPECT_EQ(Get(id, &job).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(Delete(id).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(Cancel(id, &job).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(Watch(id, 0).status.error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(TrainingService, RefusesIdsAndIterationsOutOfRange) {
  Serve(trainer_.Function(0));
  v1::TrainingJob job;
  for (const int64_t id : {int64_t{0}, int64_t{-1}}) {
    const std::string message = absl::StrCat("id: expected 1 or more, got ", id);
    EXPECT_EQ(Get(id, &job).error_message(), message);
    EXPECT_EQ(Cancel(id, &job).error_message(), message);
    EXPECT_EQ(Delete(id).error_message(), message);
    EXPECT_EQ(Watch(id, 0).status.error_message(), message);
  }
  EXPECT_EQ(Get(0, &job).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  const grpc::Status status = Watch(1, -1).status;
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "from_iteration: expected 0 or more, got -1");
}

// The handler gives its watcher's place back once the client has gone, though the job says nothing.
TEST_F(TrainingService, NoticesAWatcherThatHasGone) {
  Serve(trainer_.Function(0));
  const int64_t id = Create(1);
  trainer_.AwaitStep(1, -1);
  grpc::ClientContext context;
  v1::WatchTrainingJobRequest request;
  request.set_id(id);
  const auto reader = stub_->WatchTrainingJob(&context, request);
  v1::WatchTrainingJobResponse response;
  ASSERT_TRUE(reader->Read(&response));
  context.TryCancel();
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  // Waits for the handler: it counts itself when it returns.
  const auto counted = [this] {
    return metrics().Text().find("code=\"CANCELLED\",method=\"WatchTrainingJob\"") !=
           std::string::npos;
  };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!counted() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_TRUE(counted()) << metrics().Text();

  // The job goes on.
  trainer_.Allow(1, 0);
  EXPECT_EQ(Watch(id, 0).jobs.back().state(), v1::JOB_STATE_SUCCEEDED);
}

TEST_F(TrainingService, WatchersEndWithUnavailableWhenTheServerStops) {
  Serve(trainer_.Function(5));
  const int64_t id = Create(1);
  trainer_.Allow(1, 2);
  grpc::ClientContext context;
  v1::WatchTrainingJobRequest request;
  request.set_id(id);
  const auto reader = stub_->WatchTrainingJob(&context, request);
  v1::WatchTrainingJobResponse response;
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.job().id(), id);
  for (int next = 0; next < 3; ++next) {
    ASSERT_TRUE(reader->Read(&response));
    EXPECT_EQ(response.progress().iteration(), next);
  }
  scheduler_->Stop();
  EXPECT_FALSE(reader->Read(&response));
  const grpc::Status status = reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr(absl::StrCat("the server is stopping: watch job ",
                                                             id, " on from iteration 3")));
  v1::TrainingJob job;
  EXPECT_EQ(Create(Request(2), &job).error_code(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace mlp

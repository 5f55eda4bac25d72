#include "tests/bench/train_model.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include <grpcpp/grpcpp.h>

#include "mlp/v1/dataset.grpc.pb.h"
#include "mlp/v1/training.grpc.pb.h"

namespace mlp::bench {
namespace {

void Check(const grpc::Status& status, const char* what) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s: %s\n", what, status.error_message().c_str());
  std::abort();
}

// Uploads `rows` made-up rows under `name`.
void Upload(const std::shared_ptr<grpc::Channel>& channel, const std::string& name, int rows,
            int features, int classes) {
  const auto datasets = v1::DatasetService::NewStub(channel);
  v1::UploadDatasetRequest header;
  header.mutable_header()->set_name(name);
  header.mutable_header()->set_rows(rows);
  header.mutable_header()->set_features(features);
  header.mutable_header()->set_feature_type(v1::FEATURE_TYPE_UINT8);
  for (int k = 0; k < classes; ++k) header.mutable_header()->add_class_names(std::to_string(k));
  v1::Dataset dataset;
  grpc::ClientContext context;
  const auto writer = datasets->UploadDataset(&context, &dataset);
  writer->Write(header);
  constexpr int kChunkRows = 500;
  for (int first = 0; first < rows; first += kChunkRows) {
    v1::UploadDatasetRequest chunk;
    std::string& pixels = *chunk.mutable_chunk()->mutable_features();
    for (int row = first; row < std::min(rows, first + kChunkRows); ++row) {
      for (int j = 0; j < features; ++j) {
        pixels.push_back(static_cast<char>((row * 31 + j * 7 + row * j % 13) % 251));
      }
      chunk.mutable_chunk()->add_labels(row % classes);
    }
    writer->Write(chunk);
  }
  writer->WritesDone();
  Check(writer->Finish(), "upload");
}

int64_t CreateJob(v1::TrainingService::Stub& training, const std::string& name,
                  const std::vector<int>& layers, int iterations) {
  v1::CreateTrainingJobRequest request;
  request.set_model(name);
  request.set_dataset(name);
  for (const int units : layers) request.mutable_config()->mutable_network()->add_layers(units);
  request.mutable_config()->mutable_stopping()->set_max_iterations(iterations);
  request.mutable_config()->mutable_stopping()->set_cost_tolerance(1e-15);
  // L-BFGS remembers forty vectors more: too much of 12 million weights for some machines.
  request.mutable_config()->mutable_optimizer()->set_kind(v1::OPTIMIZER_KIND_CONJUGATE_GRADIENT);
  v1::TrainingJob job;
  grpc::ClientContext context;
  Check(training.CreateTrainingJob(&context, request, &job), "create job");
  return job.id();
}

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  return grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
}

}  // namespace

void TrainModel(const std::string& address, const std::string& name, const std::vector<int>& layers,
                int iterations) {
  const auto channel = Connect(address);
  Upload(channel, name, 200, layers.front(), layers.back());
  const auto training = v1::TrainingService::NewStub(channel);
  v1::WatchTrainingJobRequest watch;
  watch.set_id(CreateJob(*training, name, layers, iterations));
  grpc::ClientContext context;
  const auto reader = training->WatchTrainingJob(&context, watch);
  v1::TrainingJob job;
  v1::WatchTrainingJobResponse event;
  while (reader->Read(&event)) {
    if (event.has_job()) job = event.job();
  }
  Check(reader->Finish(), "watch job");
  if (job.state() != v1::JOB_STATE_SUCCEEDED) {
    std::fprintf(stderr, "training: %s\n", job.message().c_str());
    std::abort();
  }
}

LongTraining::LongTraining(const std::string& address, const std::string& name)
    : address_(address) {
  const auto channel = Connect(address);
  constexpr int kRows = 20000;
  const std::vector<int> layers = {400, 200, 10};
  Upload(channel, name, kRows, layers.front(), layers.back());
  const auto training = v1::TrainingService::NewStub(channel);
  job_ = CreateJob(*training, name, layers, 1000000);
  // Under way once its first step was stored.
  v1::WatchTrainingJobRequest watch;
  watch.set_id(job_);
  grpc::ClientContext context;
  const auto reader = training->WatchTrainingJob(&context, watch);
  v1::WatchTrainingJobResponse event;
  while (reader->Read(&event)) {
    if (event.has_progress() && event.progress().iteration() > 1) break;
  }
  context.TryCancel();
}

LongTraining::~LongTraining() {
  const auto training = v1::TrainingService::NewStub(Connect(address_));
  v1::CancelTrainingJobRequest request;
  request.set_id(job_);
  v1::TrainingJob job;
  grpc::ClientContext context;
  Check(training->CancelTrainingJob(&context, request, &job), "cancel job");
}

}  // namespace mlp::bench

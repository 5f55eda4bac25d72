// The whole server in this process, with real clients and a small dataset to work on.
#pragma once

#include <atomic>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/base/hash.h"
#include "mlp/v1/dataset.grpc.pb.h"
#include "mlp/v1/model.grpc.pb.h"
#include "mlp/v1/prediction.grpc.pb.h"
#include "mlp/v1/training.grpc.pb.h"
#include "server/server.h"

namespace mlp {

// 3 classes, 3 float features: feature k is large for class k.
constexpr int kFeatures = 3;

struct Rows {
  std::string features;
  std::vector<int32_t> labels;
  std::vector<float> weights = {};  // sent with the first chunk
};

inline Rows Blobs(int rows) {
  Rows blobs;
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < kFeatures; ++j) {
      const float value =
          (j == i % 3 ? 2.0f : 0.0f) + 0.3f * std::sin(static_cast<float>(7 * i + j));
      blobs.features.append(reinterpret_cast<const char*>(&value), sizeof(value));
    }
    blobs.labels.push_back(i % 3);
  }
  return blobs;
}

inline v1::DatasetHeader Header(const std::string& name, int64_t rows) {
  v1::DatasetHeader header;
  header.set_name(name);
  header.set_rows(rows);
  header.set_features(kFeatures);
  header.set_feature_type(v1::FEATURE_TYPE_FLOAT32);
  for (const char* label : {"red", "green", "blue"}) header.add_class_names(label);
  return header;
}

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    folder_ = ::testing::TempDir() + "mlpd-server-XXXXXX";
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    StartServer();
  }
  ~ServerTest() override {
    StopServer();
    std::filesystem::remove_all(folder_);
  }

  void StartServer() {
    ServerOptions options;
    options.data_dir = folder_ + "/data";
    options.grpc_address = "127.0.0.1:0";
    options.metrics_address = "127.0.0.1:0";
    absl::StatusOr<std::unique_ptr<Server>> server = Server::Start(options);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ = grpc::CreateChannel(server_->addresses().grpc, grpc::InsecureChannelCredentials());
    datasets_ = v1::DatasetService::NewStub(channel_);
    training_ = v1::TrainingService::NewStub(channel_);
    models_ = v1::ModelService::NewStub(channel_);
    prediction_ = v1::PredictionService::NewStub(channel_);
  }

  void StopServer() {
    if (server_ == nullptr) return;
    server_->Shutdown(absl::Seconds(5));
    server_.reset();
  }

  // One chunk a message of up to `chunk_rows` rows, after the header.
  grpc::Status Upload(const v1::DatasetHeader& header, const Rows& rows,
                      v1::Dataset* dataset = nullptr, size_t chunk_bytes = 1 << 20) {
    v1::Dataset ignored;
    grpc::ClientContext context;
    const auto writer = datasets_->UploadDataset(&context, dataset == nullptr ? &ignored : dataset);
    v1::UploadDatasetRequest message;
    *message.mutable_header() = header;
    writer->Write(message);
    size_t label = 0;
    for (size_t offset = 0; offset < rows.features.size() || label < rows.labels.size();
         offset += chunk_bytes) {
      message.Clear();
      if (offset == 0) {
        message.mutable_chunk()->mutable_weights()->Add(rows.weights.begin(), rows.weights.end());
      }
      if (offset < rows.features.size()) {
        message.mutable_chunk()->set_features(rows.features.substr(offset, chunk_bytes));
      }
      // Labels run ahead of the features or behind them: they need not keep step.
      for (int i = 0; i < 3 && label < rows.labels.size(); ++i) {
        message.mutable_chunk()->add_labels(rows.labels[label++]);
      }
      if (chunk_bytes >= rows.features.size()) {
        while (label < rows.labels.size()) {
          message.mutable_chunk()->add_labels(rows.labels[label++]);
        }
      }
      if (!writer->Write(message)) break;
    }
    writer->WritesDone();
    return writer->Finish();
  }

  // A job of kFeatures-5-3, for Train to run.
  static v1::CreateTrainingJobRequest SmallJob(const std::string& model,
                                               const std::string& dataset) {
    v1::CreateTrainingJobRequest request;
    request.set_model(model);
    request.set_dataset(dataset);
    for (const int units : {kFeatures, 5, 3})
      request.mutable_config()->mutable_network()->add_layers(units);
    request.mutable_config()->set_lambda(0.1);
    return request;
  }

  v1::TrainingJob Train(const std::string& model, const std::string& dataset) {
    return Train(SmallJob(model, dataset));
  }

  // Returns when it has succeeded.
  v1::TrainingJob Train(const v1::CreateTrainingJobRequest& request) {
    v1::TrainingJob job;
    grpc::ClientContext context;
    const grpc::Status created = training_->CreateTrainingJob(&context, request, &job);
    EXPECT_TRUE(created.ok()) << created.error_message();
    v1::WatchTrainingJobRequest watch;
    watch.set_id(job.id());
    grpc::ClientContext watch_context;
    const auto reader = training_->WatchTrainingJob(&watch_context, watch);
    v1::WatchTrainingJobResponse event;
    while (reader->Read(&event)) {
      if (event.has_job()) job = event.job();
    }
    EXPECT_TRUE(reader->Finish().ok());
    EXPECT_EQ(job.state(), v1::JOB_STATE_SUCCEEDED) << job.message();
    return job;
  }

  grpc::Status GetDataset(const std::string& name, v1::Dataset* dataset) {
    grpc::ClientContext context;
    v1::GetDatasetRequest request;
    request.set_name(name);
    return datasets_->GetDataset(&context, request, dataset);
  }

  int CountDatasets() {
    grpc::ClientContext context;
    v1::ListDatasetsResponse response;
    EXPECT_TRUE(datasets_->ListDatasets(&context, {}, &response).ok());
    return response.datasets_size();
  }

  grpc::Status Predict(const v1::PredictRequest& request, v1::PredictResponse* response) {
    grpc::ClientContext context;
    return prediction_->Predict(&context, request, response);
  }

  grpc::Status Evaluate(const std::string& model, const std::string& dataset, v1::DatasetPart part,
                        v1::EvaluateModelResponse* response) {
    grpc::ClientContext context;
    v1::EvaluateModelRequest request;
    request.set_model(model);
    request.set_dataset(dataset);
    request.set_part(part);
    request.set_include_curves(true);
    return models_->EvaluateModel(&context, request, response);
  }

  std::string folder_;
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::DatasetService::Stub> datasets_;
  std::unique_ptr<v1::TrainingService::Stub> training_;
  std::unique_ptr<v1::ModelService::Stub> models_;
  std::unique_ptr<v1::PredictionService::Stub> prediction_;
};

}  // namespace mlp

// The whole server in this process, with real clients: datasets, models, predictions, health,
// restart.
#include "server/server.h"

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

namespace mlp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// 3 classes, 3 float features: feature k is large for class k.
constexpr int kFeatures = 3;

struct Rows {
  std::string features;
  std::vector<int32_t> labels;
};

Rows Blobs(int rows) {
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

v1::DatasetHeader Header(const std::string& name, int64_t rows) {
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

  v1::TrainingJob Train(const std::string& model, const std::string& dataset) {
    v1::CreateTrainingJobRequest request;
    request.set_model(model);
    request.set_dataset(dataset);
    for (const int units : {kFeatures, 5, 3})
      request.mutable_config()->mutable_network()->add_layers(units);
    request.mutable_config()->set_lambda(0.1);
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

TEST_F(ServerTest, StoresADatasetHoweverItIsCut) {
  const Rows rows = Blobs(100);
  const std::string labels(reinterpret_cast<const char*>(rows.labels.data()),
                           rows.labels.size() * sizeof(int32_t));
  for (const size_t chunk_bytes : {size_t{1} << 20, size_t{7}, size_t{35}, size_t{1000}}) {
    v1::Dataset dataset;
    const std::string name = absl::StrCat("blobs", chunk_bytes);
    const grpc::Status status = Upload(Header(name, 100), rows, &dataset, chunk_bytes);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(dataset.rows(), 100);
    EXPECT_THAT(dataset.class_counts(), ElementsAre(34, 33, 33));
    EXPECT_EQ(dataset.bytes(), 100 * 16);
    EXPECT_EQ(dataset.sha256(), Sha256::Hex(rows.features + labels));
    EXPECT_TRUE(dataset.has_create_time());
    v1::Dataset read;
    ASSERT_TRUE(GetDataset(name, &read).ok());
    EXPECT_EQ(read.SerializeAsString(), dataset.SerializeAsString());
  }
}

TEST_F(ServerTest, RefusesABadUploadAndKeepsNothingOfIt) {
  const Rows good = Blobs(10);
  const auto float_at = [](Rows rows, size_t index, float value) {
    std::memcpy(rows.features.data() + index * sizeof(float), &value, sizeof(value));
    return rows;
  };
  struct Case {
    const char* message;
    v1::DatasetHeader header;
    Rows rows;
    grpc::StatusCode code = grpc::StatusCode::INVALID_ARGUMENT;
  };
  std::vector<Case> cases = {
      {"header.name: expected a name", Header("../x", 10), good},
      {"header.name: expected a name", Header(".x", 10), good},
      {"header.rows: expected 1 or more, got 0", Header("x", 0), good},
      {"header.rows: expected 1 or more, got -5", Header("x", -5), good},
      {"features: expected 132 bytes for 11 rows of 12 bytes, got 120", Header("x", 11), good},
      {"features: expected 108 bytes for 9 rows of 12 bytes, got more", Header("x", 9), good},
      {"features: row 3, feature 1: expected a finite number, got", Header("x", 10),
       float_at(good, 10, std::numeric_limits<float>::quiet_NaN())},
      {"features: row 9, feature 2: expected a finite number, got", Header("x", 10),
       float_at(good, 29, -std::numeric_limits<float>::infinity())},
      {"header.rows: ", Header("x", int64_t{1} << 62), good, grpc::StatusCode::RESOURCE_EXHAUSTED},
  };
  Case labels = {"labels: row 4", Header("x", 10), good};
  labels.rows.labels[4] = 3;
  cases.push_back(labels);
  labels.rows.labels[4] = -1;
  cases.push_back(labels);
  Case too_few_labels = {"labels: expected 10, one a row, got 9", Header("x", 10), good};
  too_few_labels.rows.labels.pop_back();
  cases.push_back(too_few_labels);
  Case too_many_labels = {"labels: expected 10, one a row, got more", Header("x", 10), good};
  too_many_labels.rows.labels.push_back(0);
  cases.push_back(too_many_labels);
  Case type = {"header.feature_type: expected", Header("x", 10), good};
  type.header.set_feature_type(static_cast<v1::FeatureType>(9));
  cases.push_back(type);
  Case width = {"features: expected", Header("x", 10), good};
  width.header.set_features(4);
  cases.push_back(width);
  width.header.set_features(0);
  cases.push_back(width);
  Case classes = {"class", Header("x", 10), good};
  classes.header.clear_class_names();
  cases.push_back(classes);
  Case image = {"image", Header("x", 10), good};
  image.header.mutable_image()->set_height(2);
  image.header.mutable_image()->set_width(2);
  image.header.mutable_image()->set_channels(1);
  cases.push_back(image);
  image.message = "header.image.channels: expected 1 (grey) or 3 (colour), got 2";
  image.header.set_features(2);
  image.header.mutable_image()->set_height(1);
  image.header.mutable_image()->set_width(1);
  image.header.mutable_image()->set_channels(2);
  cases.push_back(image);

  for (const Case& test : cases) {
    const grpc::Status status = Upload(test.header, test.rows);
    EXPECT_EQ(status.error_code(), test.code) << test.message << " / " << status.error_message();
    EXPECT_THAT(status.error_message(), HasSubstr(test.message));
    EXPECT_EQ(CountDatasets(), 0) << test.message;
  }
  EXPECT_TRUE(Upload(Header("x", 10), good).ok());
}

TEST_F(ServerTest, RefusesAnUploadOutOfOrderOrOversized) {
  v1::Dataset dataset;
  {
    grpc::ClientContext context;
    const auto writer = datasets_->UploadDataset(&context, &dataset);
    writer->WritesDone();
    EXPECT_THAT(writer->Finish().error_message(), HasSubstr("expected the header"));
  }
  v1::UploadDatasetRequest header, chunk;
  *header.mutable_header() = Header("x", 1000000);
  chunk.mutable_chunk()->set_features(std::string((1 << 20) + 4, '\0'));
  {
    grpc::ClientContext context;
    const auto writer = datasets_->UploadDataset(&context, &dataset);
    writer->Write(chunk);
    EXPECT_THAT(writer->Finish().error_message(), HasSubstr("expected the header"));
  }
  {
    grpc::ClientContext context;
    const auto writer = datasets_->UploadDataset(&context, &dataset);
    writer->Write(header);
    writer->Write(chunk);
    const grpc::Status status = writer->Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_THAT(status.error_message(), HasSubstr("chunk.features: expected at most 1048576"));
  }
  {
    grpc::ClientContext context;
    const auto writer = datasets_->UploadDataset(&context, &dataset);
    writer->Write(header);
    writer->Write(header);
    EXPECT_THAT(writer->Finish().error_message(), HasSubstr("expected a chunk"));
  }
  EXPECT_EQ(CountDatasets(), 0);
}

TEST_F(ServerTest, AnUploadThatIsCutOffLeavesNothing) {
  const Rows rows = Blobs(1000);
  for (int i = 0; i < 3; ++i) {
    v1::Dataset dataset;
    grpc::ClientContext context;
    const auto writer = datasets_->UploadDataset(&context, &dataset);
    v1::UploadDatasetRequest message;
    *message.mutable_header() = Header("x", 2000);
    writer->Write(message);
    message.Clear();
    message.mutable_chunk()->set_features(rows.features);
    message.mutable_chunk()->mutable_labels()->Add(rows.labels.begin(), rows.labels.end());
    writer->Write(message);
    context.TryCancel();
    EXPECT_EQ(writer->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  EXPECT_EQ(CountDatasets(), 0);
  EXPECT_TRUE(Upload(Header("x", 1000), rows).ok());
}

TEST_F(ServerTest, ARepeatedUploadIsTheSameDatasetWhereItsRequestIdSaysSo) {
  v1::DatasetHeader header = Header("x", 10);
  header.set_request_id("upload-1");
  v1::Dataset first, second;
  ASSERT_TRUE(Upload(header, Blobs(10), &first).ok());
  const grpc::Status repeated = Upload(header, Blobs(10), &second);
  ASSERT_TRUE(repeated.ok()) << repeated.error_message();
  EXPECT_EQ(first.SerializeAsString(), second.SerializeAsString());
  EXPECT_EQ(Upload(Header("x", 10), Blobs(10)).error_code(), grpc::StatusCode::ALREADY_EXISTS);
  v1::DatasetHeader other_classes = header;
  other_classes.set_class_names(0, "rot");
  EXPECT_EQ(Upload(other_classes, Blobs(10)).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  header.set_name("y");
  EXPECT_EQ(Upload(header, Blobs(10)).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ServerTest, PagesThroughDatasets) {
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Upload(Header(absl::StrCat("d", i), 10), Blobs(10)).ok());
  std::vector<std::string> names;
  v1::ListDatasetsRequest request;
  request.set_page_size(2);
  do {
    grpc::ClientContext context;
    v1::ListDatasetsResponse response;
    ASSERT_TRUE(datasets_->ListDatasets(&context, request, &response).ok());
    EXPECT_LE(response.datasets_size(), 2);
    for (const v1::Dataset& dataset : response.datasets()) names.push_back(dataset.name());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(names, ElementsAre("d0", "d1", "d2", "d3", "d4"));
  request.set_page_token("made-up");
  grpc::ClientContext context;
  v1::ListDatasetsResponse response;
  EXPECT_EQ(datasets_->ListDatasets(&context, request, &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ServerTest, ReadsExamplesBackByRowAndByPart) {
  const Rows rows = Blobs(50);
  ASSERT_TRUE(Upload(Header("blobs", 50), rows).ok());
  Train("m", "blobs");
  v1::ReadExamplesRequest request;
  request.set_name("blobs");
  request.set_start_row(48);
  request.set_row_count(10);
  v1::ReadExamplesResponse response;
  {
    grpc::ClientContext context;
    ASSERT_TRUE(datasets_->ReadExamples(&context, request, &response).ok());
  }
  EXPECT_THAT(response.rows(), ElementsAre(48, 49));
  EXPECT_THAT(response.labels(), ElementsAre(0, 1));
  EXPECT_EQ(response.features(), rows.features.substr(48 * 12));

  request.set_start_row(0);
  request.set_row_count(1024);
  request.set_model("m");
  request.set_part(v1::DATASET_PART_TEST);
  v1::ReadExamplesResponse test;
  {
    grpc::ClientContext context;
    ASSERT_TRUE(datasets_->ReadExamples(&context, request, &test).ok());
  }
  EXPECT_EQ(test.rows_size(), 15);
  for (int i = 0; i < test.rows_size(); ++i) {
    const auto row = static_cast<size_t>(test.rows(i));
    EXPECT_EQ(test.labels(i), rows.labels[row]);
    EXPECT_EQ(test.features().substr(static_cast<size_t>(i) * 12, 12),
              rows.features.substr(row * 12, 12));
  }

  const auto refused = [&](auto change) {
    v1::ReadExamplesRequest bad;
    bad.set_name("blobs");
    bad.set_row_count(1);
    change(bad);
    grpc::ClientContext context;
    v1::ReadExamplesResponse ignored;
    return datasets_->ReadExamples(&context, bad, &ignored).error_code();
  };
  EXPECT_EQ(refused([](auto& r) { r.set_start_row(50); }), grpc::StatusCode::OUT_OF_RANGE);
  EXPECT_EQ(refused([](auto& r) { r.set_start_row(-1); }), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(refused([](auto& r) { r.set_row_count(0); }), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(refused([](auto& r) { r.set_row_count(1025); }), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(refused([](auto& r) { r.set_name("nobody"); }), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(refused([](auto& r) { r.set_part(v1::DATASET_PART_TEST); }),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ServerTest, PredictsWithWhatItTrained) {
  ASSERT_TRUE(Upload(Header("blobs", 90), Blobs(90)).ok());
  const v1::TrainingJob job = Train("colours", "blobs");
  v1::PredictRequest request;
  request.set_model("colours");
  for (const float value : {2.0f, 0.0f, 0.0f, 0.0f, 0.0f, 2.0f}) request.add_features(value);
  v1::PredictResponse response;
  const grpc::Status status = Predict(request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.version(), job.result().version());
  EXPECT_THAT(response.class_names(), ElementsAre("red", "blue"));
  EXPECT_EQ(response.outputs_size(), 6);
  request.add_features(1.0f);
  EXPECT_EQ(Predict(request, &response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  request.set_model("nobody");
  EXPECT_EQ(Predict(request, &response).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(ServerTest, ManyCallersGetTheirOwnRows) {
  ASSERT_TRUE(Upload(Header("blobs", 90), Blobs(90)).ok());
  Train("colours", "blobs");
  std::vector<std::thread> callers;
  for (int c = 0; c < 8; ++c) {
    callers.emplace_back([this, c] {
      for (int i = 0; i < 100; ++i) {
        v1::PredictRequest request;
        request.set_model("colours");
        const int rows = 1 + (c * 7 + i) % 5;
        std::vector<std::string> expected;
        for (int row = 0; row < rows; ++row) {
          const int label = (c + i + row) % 3;
          for (int j = 0; j < 3; ++j) request.add_features(j == label ? 2.0f : 0.0f);
          expected.push_back(
              std::vector<std::string>{"red", "green", "blue"}[static_cast<size_t>(label)]);
        }
        v1::PredictResponse response;
        ASSERT_TRUE(Predict(request, &response).ok());
        ASSERT_THAT(response.class_names(), ::testing::ElementsAreArray(expected));
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
}

TEST_F(ServerTest, EvaluatesPartsOfTheDataItWasTrainedOn) {
  ASSERT_TRUE(Upload(Header("blobs", 90), Blobs(90)).ok());
  const v1::TrainingJob job = Train("m", "blobs");
  v1::EvaluateModelResponse response;
  ASSERT_TRUE(Evaluate("m@1", "blobs", v1::DATASET_PART_TEST, &response).ok());
  EXPECT_EQ(response.version(), 1);
  EXPECT_EQ(response.evaluation().examples(), 27);
  EXPECT_EQ(response.evaluation().classes_size(), 3);
  EXPECT_GT(response.evaluation().classes(0).curve_size(), 0);
  ASSERT_EQ(job.result().evaluations_size(), 2);
  EXPECT_EQ(response.evaluation().cross_entropy(), job.result().evaluations(1).cross_entropy());
  ASSERT_TRUE(Evaluate("m", "blobs", v1::DATASET_PART_UNSPECIFIED, &response).ok());
  EXPECT_EQ(response.evaluation().examples(), 90);
  EXPECT_EQ(response.evaluation().part(), v1::DATASET_PART_ALL);

  ASSERT_TRUE(Upload(Header("others", 30), Blobs(30)).ok());
  EXPECT_TRUE(Evaluate("m", "others", v1::DATASET_PART_ALL, &response).ok());
  EXPECT_EQ(Evaluate("m", "others", v1::DATASET_PART_TEST, &response).error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(Evaluate("m", "blobs", v1::DATASET_PART_VALIDATION, &response).error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(Evaluate("m", "blobs", static_cast<v1::DatasetPart>(77), &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Evaluate("m@7", "blobs", v1::DATASET_PART_ALL, &response).error_code(),
            grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(Evaluate("m", "nobody", v1::DATASET_PART_ALL, &response).error_code(),
            grpc::StatusCode::NOT_FOUND);
  v1::DatasetHeader renamed = Header("renamed", 30);
  renamed.set_class_names(0, "rot");
  ASSERT_TRUE(Upload(renamed, Blobs(30)).ok());
  EXPECT_EQ(Evaluate("m", "renamed", v1::DATASET_PART_ALL, &response).error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
}

TEST_F(ServerTest, DeletedVersionsAnswerNoMore) {
  ASSERT_TRUE(Upload(Header("blobs", 90), Blobs(90)).ok());
  Train("m", "blobs");
  Train("m", "blobs");
  v1::PredictRequest request;
  request.set_model("m");
  for (int j = 0; j < 3; ++j) request.add_features(1.0f);
  v1::PredictResponse response;
  ASSERT_TRUE(Predict(request, &response).ok());
  EXPECT_EQ(response.version(), 2);
  v1::DeleteModelVersionRequest delete_version;
  delete_version.set_model("m");
  delete_version.set_version(2);
  google::protobuf::Empty empty;
  {
    grpc::ClientContext context;
    ASSERT_TRUE(models_->DeleteModelVersion(&context, delete_version, &empty).ok());
  }
  ASSERT_TRUE(Predict(request, &response).ok());
  EXPECT_EQ(response.version(), 1);
  Train("m", "blobs");  // the number 2 is not given again
  ASSERT_TRUE(Predict(request, &response).ok());
  EXPECT_EQ(response.version(), 3);
  v1::DeleteModelRequest delete_model;
  delete_model.set_name("m");
  {
    grpc::ClientContext context;
    ASSERT_TRUE(models_->DeleteModel(&context, delete_model, &empty).ok());
  }
  EXPECT_EQ(Predict(request, &response).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(ServerTest, KeepsEverythingOverARestart) {
  ASSERT_TRUE(Upload(Header("blobs", 90), Blobs(90)).ok());
  const v1::TrainingJob job = Train("m", "blobs");
  v1::PredictRequest request;
  request.set_model("m");
  for (const float value : {0.3f, 1.0f, 0.7f}) request.add_features(value);
  v1::PredictResponse before, after;
  ASSERT_TRUE(Predict(request, &before).ok());
  StopServer();
  StartServer();
  ASSERT_TRUE(Predict(request, &after).ok());
  EXPECT_EQ(before.SerializeAsString(), after.SerializeAsString());
  v1::GetTrainingJobRequest get;
  get.set_id(job.id());
  v1::TrainingJob read;
  grpc::ClientContext context;
  ASSERT_TRUE(training_->GetTrainingJob(&context, get, &read).ok());
  EXPECT_EQ(read.SerializeAsString(), job.SerializeAsString());
}

TEST_F(ServerTest, RefusesTheAddressOfARunningServer) {
  ServerOptions options;
  options.data_dir = folder_ + "/other";
  options.grpc_address = server_->addresses().grpc;
  options.metrics_address = "";
  const absl::Status status = Server::Start(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("cannot listen on"));
}

TEST_F(ServerTest, RefusesAFolderThatIsInUse) {
  ServerOptions options;
  options.data_dir = folder_ + "/data";
  options.grpc_address = "127.0.0.1:0";
  options.metrics_address = "";
  const absl::Status status = Server::Start(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr(absl::StrCat(getpid())));
}

TEST_F(ServerTest, ShutsDownUnderLoad) {
  ASSERT_TRUE(Upload(Header("blobs", 90), Blobs(90)).ok());
  Train("m", "blobs");
  std::atomic<bool> stop = false;
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c) {
    callers.emplace_back([&] {
      v1::PredictRequest request;
      request.set_model("m");
      for (int j = 0; j < 3; ++j) request.add_features(1.0f);
      while (!stop) {
        v1::PredictResponse response;
        const grpc::Status status = Predict(request, &response);
        // CANCELLED: gRPC had taken the call but not handed it to the service when the server
        // closed.
        const bool gone = status.error_code() == grpc::StatusCode::UNAVAILABLE ||
                          status.error_code() == grpc::StatusCode::CANCELLED;
        EXPECT_TRUE(status.ok() || gone) << status.error_message();
      }
    });
  }
  StopServer();
  stop = true;
  for (std::thread& caller : callers) caller.join();
}

}  // namespace
}  // namespace mlp

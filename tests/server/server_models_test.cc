// Models through the whole server: predictions, evaluations, deletions, restarts, shutdown.
#include <cstring>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/hash.h"
#include "tests/server/server_fixture.h"

namespace mlp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

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

TEST_F(ServerTest, EvaluationsCarryWhatTheRequestAsksFor) {
  ASSERT_TRUE(Upload(Header("blobs", 90), Blobs(90)).ok());
  const v1::TrainingJob job = Train("m", "blobs");
  const v1::Evaluation& stored = job.result().evaluations(1);
  EXPECT_EQ(stored.worst_examples_size(), 5);
  EXPECT_EQ(stored.reliability_size(), 15);
  EXPECT_EQ(stored.classes(0).curve_size(), 0);

  v1::EvaluateModelRequest request;
  request.set_model("m");
  request.set_dataset("blobs");
  request.set_part(v1::DATASET_PART_TEST);
  v1::EvaluateModelResponse response;
  const auto evaluate = [&] {
    grpc::ClientContext context;
    response.Clear();
    return models_->EvaluateModel(&context, request, &response);
  };
  ASSERT_TRUE(evaluate().ok());
  const v1::Evaluation& evaluation = response.evaluation();
  EXPECT_EQ(evaluation.worst_examples_size(), 10);
  EXPECT_EQ(evaluation.classes(0).curve_size(), 0);
  EXPECT_TRUE(evaluation.classes(0).has_best_f1_threshold());
  EXPECT_EQ(evaluation.log_loss(), stored.log_loss());
  EXPECT_EQ(evaluation.expected_calibration_error(), stored.expected_calibration_error());
  EXPECT_EQ(evaluation.macro_roc_auc(), stored.macro_roc_auc());
  ASSERT_EQ(evaluation.top_k_size(), 1);  // three classes
  EXPECT_EQ(evaluation.top_k(0).k(), 2);

  // Predict's outputs of the worst row are those that it was ranked by.
  const v1::WorstExample& worst = evaluation.worst_examples(0);
  v1::PredictRequest predict;
  predict.set_model("m");
  const std::string blobs = Blobs(90).features;
  float row[3];
  std::memcpy(row, blobs.data() + static_cast<size_t>(worst.row()) * sizeof(row), sizeof(row));
  predict.mutable_features()->Add(row, row + 3);
  v1::PredictResponse predicted;
  ASSERT_TRUE(Predict(predict, &predicted).ok());
  EXPECT_EQ(predicted.labels(0), worst.prediction());
  EXPECT_FLOAT_EQ(predicted.outputs(worst.label()), worst.label_probability());
  EXPECT_FLOAT_EQ(predicted.outputs(worst.prediction()), worst.predicted_probability());

  request.set_worst_examples(0);
  ASSERT_TRUE(evaluate().ok());
  EXPECT_EQ(evaluation.worst_examples_size(), 0);
  request.set_worst_examples(1000);
  ASSERT_TRUE(evaluate().ok());
  EXPECT_EQ(evaluation.worst_examples_size(), 27);
  for (const int wrong : {-1, 1001}) {
    request.set_worst_examples(wrong);
    const grpc::Status status = evaluate();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_THAT(status.error_message(), HasSubstr("worst_examples: expected 0 to 1000, got"));
  }
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

TEST_F(ServerTest, ServingSettingsAreCheckedAndSurviveARestart) {
  ASSERT_TRUE(Upload(Header("blobs", 90), Blobs(90)).ok());
  Train("colours", "blobs");
  const auto set = [this](const std::string& name, int32_t rows, int64_t delay, int32_t queued,
                          v1::Model* model) {
    v1::SetServingSettingsRequest request;
    request.set_model(name);
    request.mutable_settings()->set_max_batch_rows(rows);
    request.mutable_settings()->set_queue_delay_us(delay);
    request.mutable_settings()->set_max_queued_requests(queued);
    grpc::ClientContext context;
    return models_->SetServingSettings(&context, request, model);
  };
  v1::Model model;
  EXPECT_EQ(set("colours", -1, 0, 0, &model).error_message(),
            "settings.max_batch_rows: expected 1 to 65536, or 0 for the default, got -1");
  EXPECT_EQ(set("colours", 65537, 0, 0, &model).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(set("colours", 0, 1000001, 0, &model).error_message(),
            "settings.queue_delay_us: expected 0 to 1000000, got 1000001");
  EXPECT_EQ(
      set("colours", 0, 0, 1000001, &model).error_message(),
      "settings.max_queued_requests: expected 1 to 1000000, or 0 for the default, got 1000001");
  EXPECT_EQ(set("nobody", 1, 0, 0, &model).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(set("../x", 1, 0, 0, &model).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  const grpc::Status status = set("colours", 65536, 1000000, 1000000, &model);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(model.name(), "colours");
  EXPECT_EQ(model.serving().max_batch_rows(), 65536);

  StopServer();
  StartServer();
  v1::GetModelRequest request;
  request.set_name("colours");
  grpc::ClientContext context;
  v1::Model stored;
  ASSERT_TRUE(models_->GetModel(&context, request, &stored).ok());
  EXPECT_EQ(stored.SerializeAsString(), model.SerializeAsString());
}

TEST_F(ServerTest, AliasesSayWhatAnswers) {
  ASSERT_TRUE(Upload(Header("blobs", 90), Blobs(90)).ok());
  Train("colours", "blobs");
  Train("colours", "blobs");
  const auto answering = [this](const std::string& reference) {
    v1::PredictRequest request;
    request.set_model(reference);
    for (const float value : {2.0f, 0.0f, 0.0f}) request.add_features(value);
    v1::PredictResponse response;
    const grpc::Status status = Predict(request, &response);
    EXPECT_TRUE(status.ok()) << reference << ": " << status.error_message();
    return response.version();
  };
  EXPECT_EQ(answering("colours"), 2);
  v1::SetModelAliasRequest set;
  set.set_model("colours");
  set.set_alias("serving");
  set.set_version(1);
  v1::Model model;
  grpc::ClientContext first;
  ASSERT_TRUE(models_->SetModelAlias(&first, set, &model).ok());
  EXPECT_EQ(model.served_version(), 1);
  EXPECT_EQ(answering("colours"), 1);
  EXPECT_EQ(answering("colours@serving"), 1);
  EXPECT_EQ(answering("colours@2"), 2);
  set.set_alias("2");
  grpc::ClientContext second;
  const grpc::Status refused = models_->SetModelAlias(&second, set, &model);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(refused.error_message(), HasSubstr("no number"));
  StopServer();
  StartServer();
  EXPECT_EQ(answering("colours"), 1);
}

TEST_F(ServerTest, AnExportedVersionComesBackAsItWas) {
  ASSERT_TRUE(Upload(Header("blobs", 90), Blobs(90)).ok());
  Train("colours", "blobs");
  v1::ExportModelRequest request;
  request.set_model("colours@1");
  grpc::ClientContext export_context;
  const auto reader = models_->ExportModel(&export_context, request);
  std::string file;
  v1::ExportModelResponse piece;
  v1::ModelVersion exported;
  while (reader->Read(&piece)) {
    if (piece.has_version()) exported = piece.version();
    file += piece.data();
  }
  ASSERT_TRUE(reader->Finish().ok());
  EXPECT_EQ(Sha256::Hex(file), exported.artifact_sha256());

  const auto import = [&](const std::string& bytes, const std::string& sha256,
                          v1::ModelVersion* version) {
    grpc::ClientContext context;
    const auto writer = models_->ImportModel(&context, version);
    v1::ImportModelRequest message;
    message.mutable_header()->set_model("copy");
    message.mutable_header()->set_bytes(static_cast<int64_t>(bytes.size()));
    message.mutable_header()->set_sha256(sha256);
    message.mutable_header()->add_aliases("serving");
    writer->Write(message);
    message.Clear();
    message.set_data(bytes);
    writer->Write(message);
    writer->WritesDone();
    return writer->Finish();
  };
  v1::ModelVersion imported;
  const grpc::Status status = import(file, Sha256::Hex(file), &imported);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(imported.model(), "copy");
  EXPECT_EQ(imported.version(), 1);
  EXPECT_EQ(imported.job_id(), 0);
  EXPECT_EQ(imported.artifact_sha256(), exported.artifact_sha256());
  EXPECT_EQ(imported.config().network().SerializeAsString(),
            exported.config().network().SerializeAsString());
  EXPECT_EQ(imported.dataset_sha256(), exported.dataset_sha256());
  EXPECT_EQ(imported.imported_from().format(), v1::MODEL_FORMAT_MLPD);
  EXPECT_THAT(imported.aliases(), ElementsAre("serving"));

  // A bit turned on the way, another file than announced, no model at all.
  std::string damaged = file;
  damaged[damaged.size() / 2] ^= 1;
  EXPECT_EQ(import(damaged, "", &imported).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(import(file, Sha256::Hex("x"), &imported).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(import("rubbish", "", &imported).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  v1::Model model;
  v1::GetModelRequest get;
  get.set_name("copy");
  grpc::ClientContext context;
  ASSERT_TRUE(models_->GetModel(&context, get, &model).ok());
  EXPECT_EQ(model.version_count(), 1);
}

}  // namespace
}  // namespace mlp

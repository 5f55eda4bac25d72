#include "tests/server/inference_fixture.h"

#include <cmath>
#include <cstring>
#include <utility>

#include "core/artifact/artifact.h"
#include "core/base/clock.h"
#include "core/nn/weighted_sums.h"
#include "server/store/sqlite_store.h"

namespace mlp {
namespace {

Artifact RandomArtifact(const Shape& shape, std::mt19937& random) {
  Artifact artifact;
  artifact.network.topology = {
      shape.features,
      {{shape.hidden, Activation::kSigmoid}, {shape.classes, Activation::kSigmoid}}};
  const int weights = (shape.features + 1) * shape.hidden + (shape.hidden + 1) * shape.classes;
  artifact.network.parameters.resize(weights);
  std::normal_distribution<float> normal(0, 0.05f);
  for (int i = 0; i < weights; ++i) artifact.network.parameters[i] = normal(random);
  artifact.scaler = FeatureScaler::Identity(shape.features);
  artifact.schema.features = shape.features;
  for (int k = 0; k < shape.classes; ++k) {
    artifact.schema.class_names.push_back("class" + std::to_string(k));
  }
  return artifact;
}

}  // namespace

bool SameOutput(float expected, float got) {
  if (WeightedSumsKeepTheirBits()) return std::memcmp(&expected, &got, sizeof(float)) == 0;
  return std::abs(expected - got) <= 1e-5f;
}

InferenceFixture::InferenceFixture() {
  StopServer();
  PublishAll();
  StartServer();
  for (size_t i = 0; i < std::size(kShapes); ++i) LearnRows(i);
}

void InferenceFixture::PublishAll() {
  std::mt19937 random(kSeed);
  const std::unique_ptr<Store> store = OpenSqliteStore(folder_ + "/data", Clock::System()).value();
  v1::DatasetHeader header = Header("data", 3);
  auto upload = store->BeginDatasetUpload(header).value();
  const Rows blobs = Blobs(3);
  ASSERT_TRUE(upload->Append({blobs.features, blobs.labels}).ok());
  v1::Dataset dataset;
  dataset.set_name("data");
  dataset.set_rows(3);
  dataset.set_features(kFeatures);
  dataset.set_feature_type(v1::FEATURE_TYPE_FLOAT32);
  *dataset.mutable_class_names() = header.class_names();
  ASSERT_TRUE(upload->Commit(dataset).ok());
  for (const Shape& shape : kShapes) {
    v1::TrainingJob job;
    job.set_model(shape.name);
    job.set_dataset("data");
    job.set_state(v1::JOB_STATE_QUEUED);
    job = store->CreateJob(job, "", 1000).value();
    job.set_state(v1::JOB_STATE_RUNNING);
    ASSERT_TRUE(store->UpdateJob(job, v1::JOB_STATE_QUEUED).ok());
    job.set_state(v1::JOB_STATE_SUCCEEDED);
    NewVersion version;
    version.version.set_model(shape.name);
    version.artifact = WriteArtifact(RandomArtifact(shape, random));
    ASSERT_TRUE(store->PublishVersion(std::move(version), job).ok());
  }
}

void InferenceFixture::LearnRows(size_t model) {
  std::mt19937 random(kSeed + static_cast<uint32_t>(model));
  for (int row = 0; row < kPool; ++row) {
    std::string pixels;
    for (int j = 0; j < kShapes[model].features; ++j) {
      pixels.push_back(static_cast<char>(random() % 3));
    }
    rows_[model].push_back(pixels);
    v1::PredictRequest request;
    request.set_model(kShapes[model].name);
    request.set_pixels(pixels);
    v1::PredictResponse response;
    const grpc::Status status = Predict(request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    alone_[model].push_back(response);
  }
}

InferenceFixture::Asked InferenceFixture::Ask(size_t model, int count, std::mt19937& random) const {
  Asked asked;
  asked.model = model;
  asked.request.set_model(kShapes[model].name);
  const bool as_pixels = random() % 2 == 0;
  for (int i = 0; i < count; ++i) {
    asked.rows.push_back(random() % kPool);
    const std::string& row = rows_[model][asked.rows.back()];
    if (as_pixels) {
      asked.request.mutable_pixels()->append(row);
    } else {
      for (const char value : row) asked.request.add_features(static_cast<float>(value));
    }
  }
  return asked;
}

std::string InferenceFixture::Mistake(const Asked& asked,
                                      const v1::PredictResponse& response) const {
  const int classes = kShapes[asked.model].classes;
  const std::string where = absl::StrCat("seed ", kSeed, ", ", asked.request.model(), ", ");
  if (response.version() != 1) return absl::StrCat(where, "version ", response.version());
  const auto rows = static_cast<int>(asked.rows.size());
  if (response.labels_size() != rows || response.class_names_size() != rows ||
      response.outputs_size() != classes * rows) {
    return absl::StrCat(where, rows, " rows, labels: ", response.labels_size(),
                        ", class names: ", response.class_names_size(),
                        ", outputs: ", response.outputs_size());
  }
  for (int i = 0; i < rows; ++i) {
    const v1::PredictResponse& alone = alone_[asked.model][asked.rows[static_cast<size_t>(i)]];
    for (int k = 0; k < classes; ++k) {
      const float expected = alone.outputs(k);
      const float got = response.outputs(i * classes + k);
      if (!SameOutput(expected, got)) {
        return absl::StrCat(where, "row ", i, ": expected ", expected, ", got ", got);
      }
    }
    if (response.labels(i) != alone.labels(0) || response.class_names(i) != alone.class_names(0)) {
      return absl::StrCat(where, "row ", i, ": expected label ", alone.labels(0), " ",
                          alone.class_names(0), ", got ", response.labels(i), " ",
                          response.class_names(i));
    }
  }
  return "";
}

void InferenceFixture::ExpectHealthy() {
  std::mt19937 random(1);
  for (size_t model = 0; model < std::size(kShapes); ++model) {
    const Asked asked = Ask(model, 20, random);
    v1::PredictResponse response;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kLong);
    const grpc::Status status = prediction_->Predict(&context, asked.request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(Mistake(asked, response), "");
  }
}

void InferenceFixture::SetQueue(const std::string& name, int max_queued_requests) {
  v1::SetServingSettingsRequest settings;
  settings.set_model(name);
  settings.mutable_settings()->set_max_queued_requests(max_queued_requests);
  v1::Model model;
  grpc::ClientContext context;
  ASSERT_TRUE(models_->SetServingSettings(&context, settings, &model).ok());
}

}  // namespace mlp

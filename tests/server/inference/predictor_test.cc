// Predictor and ResidentModels over a real store in a temporary folder.
#include "server/inference/predictor.h"

#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/nn/initialization.h"
#include "server/store/sqlite_store.h"
#include "tests/testing/temporary_store.h"

namespace mlp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// D=2 -> K=2 without a hidden layer: output k is sigmoid(10 * x_k) for weights diag(10, 10).
Artifact Diagonal(float weight) {
  Artifact artifact;
  artifact.network.topology = {2, {{2, Activation::kSigmoid}}};
  artifact.network.parameters.resize(6);
  artifact.network.parameters << weight, 0, 0, weight, 0, 0;
  artifact.scaler = FeatureScaler::Identity(2);
  artifact.schema.features = 2;
  artifact.schema.class_names = {"first", "second"};
  return artifact;
}

class PredictorTest : public ::testing::Test {
 protected:
  PredictTask Task(const v1::PredictRequest& request, v1::PredictResponse& response) {
    return {.request = &request, .response = &response, .status = {}};
  }

  absl::Status RunOne(const v1::PredictRequest& request, v1::PredictResponse& response) {
    PredictTask task = Task(request, response);
    predictor_.Run(absl::MakeSpan(&task, 1));
    return task.status;
  }

  v1::PredictRequest Request(const std::string& model, std::vector<float> features) {
    v1::PredictRequest request;
    request.set_model(model);
    request.mutable_features()->Add(features.begin(), features.end());
    return request;
  }

  testing::TemporaryStore store_;
  ResidentModels models_{*store_, {}};
  Metrics metrics_;
  Predictor predictor_{models_, metrics_};
};

TEST_F(PredictorTest, AnswersLabelNameAndAllOutputs) {
  store_.Publish("m", Diagonal(10));
  v1::PredictResponse response;
  ASSERT_TRUE(RunOne(Request("m", {0.0f, 1.0f, 0.5f, -0.5f}), response).ok());
  EXPECT_EQ(response.version(), 1);
  EXPECT_THAT(response.labels(), ElementsAre(1, 0));
  EXPECT_THAT(response.class_names(), ElementsAre("second", "first"));
  ASSERT_EQ(response.outputs_size(), 4);
  EXPECT_FLOAT_EQ(response.outputs(0), 0.5f);
  EXPECT_NEAR(response.outputs(1), 1.0 / (1.0 + std::exp(-10.0)), 1e-6);
  EXPECT_NEAR(response.outputs(2), 1.0 / (1.0 + std::exp(-5.0)), 1e-6);
  EXPECT_NEAR(response.outputs(3), 1.0 / (1.0 + std::exp(5.0)), 1e-6);
}

TEST_F(PredictorTest, PixelsAreTheSameValuesAsFeatures) {
  store_.Publish("m", Diagonal(0.01f));
  v1::PredictRequest pixels;
  pixels.set_model("m");
  pixels.set_pixels(std::string("\x00\xFF\x80\x01", 4));
  v1::PredictResponse from_pixels, from_features;
  ASSERT_TRUE(RunOne(pixels, from_pixels).ok());
  ASSERT_TRUE(RunOne(Request("m", {0, 255, 128, 1}), from_features).ok());
  EXPECT_EQ(from_pixels.SerializeAsString(), from_features.SerializeAsString());
}

TEST_F(PredictorTest, GivesEachCallerItsOwnRowsWhateverTheBatch) {
  store_.Publish("a", Diagonal(1));
  store_.Publish("b", Diagonal(-1));
  store_.Publish("b", Diagonal(2));
  std::vector<v1::PredictRequest> requests;
  for (int i = 0; i < 60; ++i) {
    // 1 to 20 rows each, over 256 rows in all for a model, so that blocks begin inside requests.
    std::vector<float> features;
    for (int j = 0; j < 2 * (1 + i % 20); ++j)
      features.push_back(std::sin(static_cast<float>(i * 41 + j)));
    const char* models[] = {"a", "b", "b@1", "b@2"};
    requests.push_back(Request(models[i % 4], features));
  }
  std::vector<v1::PredictResponse> together(requests.size());
  std::vector<PredictTask> tasks;
  for (size_t i = 0; i < requests.size(); ++i) tasks.push_back(Task(requests[i], together[i]));
  predictor_.Run(absl::MakeSpan(tasks));
  for (size_t i = 0; i < requests.size(); ++i) {
    ASSERT_TRUE(tasks[i].status.ok()) << i << ": " << tasks[i].status;
    v1::PredictResponse alone;
    ASSERT_TRUE(RunOne(requests[i], alone).ok());
    ASSERT_EQ(together[i].outputs_size(), requests[i].features_size()) << i;
    EXPECT_EQ(together[i].version(), alone.version()) << i;
    for (int k = 0; k < alone.outputs_size(); ++k) {
      // The block's shape may change the order in which BLAS sums: within a few ulp.
      EXPECT_NEAR(together[i].outputs(k), alone.outputs(k), 1e-6) << i << ", " << k;
    }
  }
}

TEST_F(PredictorTest, OneBadRequestSpoilsNoOther) {
  store_.Publish("m", Diagonal(1));
  const v1::PredictRequest good = Request("m", {1, 2});
  const v1::PredictRequest bad = Request("m", {1, 2, 3});
  const v1::PredictRequest unknown = Request("nobody", {1, 2});
  v1::PredictResponse responses[3];
  std::vector<PredictTask> tasks = {Task(bad, responses[0]), Task(good, responses[1]),
                                    Task(unknown, responses[2])};
  predictor_.Run(absl::MakeSpan(tasks));
  EXPECT_EQ(tasks[0].status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(tasks[1].status.ok());
  EXPECT_EQ(responses[1].labels_size(), 1);
  EXPECT_EQ(tasks[2].status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(responses[0].ByteSizeLong() + responses[2].ByteSizeLong(), 0u);
}

TEST_F(PredictorTest, RefusesBadRowsByNameAndNumbers) {
  store_.Publish("m", Diagonal(1));
  struct Case {
    v1::PredictRequest request;
    absl::StatusCode code;
    const char* message;
  };
  const auto invalid = absl::StatusCode::kInvalidArgument;
  std::vector<Case> cases = {
      {Request("m", {1, 2, 3}), invalid, "features: expected a multiple of 2 values"},
      {Request("m", {}), invalid,
       "features, pixels: expected rows in exactly one of them, got none"},
      {Request("m", {1, std::numeric_limits<float>::quiet_NaN()}), invalid, "row 0, feature 1"},
      {Request("m", {1, 2, std::numeric_limits<float>::infinity(), 3}), invalid,
       "row 1, feature 0"},
      {Request("../m", {1, 2}), invalid, "model: expected a name"},
      {Request("m@0", {1, 2}), invalid, "version"},
      {Request("m@9", {1, 2}), absl::StatusCode::kNotFound, "9"},
      {Request("m@stable", {1, 2}), absl::StatusCode::kNotFound, "stable"},
  };
  cases.push_back(cases[0]);
  cases.back().request = Request("m", {1, 2});
  cases.back().request.set_rows(3);
  cases.back().message = "features: expected 6 values (rows of 2), got 2";
  cases.push_back(cases[0]);
  cases.back().request = Request("m", {1, 2});
  cases.back().request.set_pixels("xy");
  cases.back().message = "got both";
  cases.push_back(cases[0]);
  cases.back().request = Request("m", {1, 2});
  cases.back().request.set_rows(-1);
  cases.back().message = "rows: expected 0 or more, got -1";
  cases.push_back(cases[0]);
  cases.back().request.clear_features();
  cases.back().request.set_pixels(std::string(2 * 65537, 'x'));
  cases.back().code = absl::StatusCode::kResourceExhausted;
  cases.back().message = "rows: expected at most 65536 a call, got 65537";

  for (const Case& test : cases) {
    v1::PredictResponse response;
    const absl::Status status = RunOne(test.request, response);
    EXPECT_EQ(status.code(), test.code) << test.message << " / " << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(test.message));
  }
}

TEST_F(PredictorTest, UsesANewVersionAfterRefresh) {
  store_.Publish("m", Diagonal(1));
  v1::PredictResponse response;
  ASSERT_TRUE(RunOne(Request("m", {1, 2}), response).ok());
  store_.Publish("m", Diagonal(-1));
  models_.Refresh("m");
  response.Clear();
  ASSERT_TRUE(RunOne(Request("m", {1, 2}), response).ok());
  EXPECT_EQ(response.version(), 2);
  EXPECT_THAT(response.labels(), ElementsAre(0));
  response.Clear();
  ASSERT_TRUE(RunOne(Request("m@1", {1, 2}), response).ok());
  EXPECT_EQ(response.version(), 1);
}

TEST_F(PredictorTest, ForgetsADeletedVersion) {
  store_.Publish("m", Diagonal(1));
  store_.Publish("m", Diagonal(-1));
  v1::PredictResponse response;
  ASSERT_TRUE(RunOne(Request("m", {1, 2}), response).ok());
  ASSERT_TRUE(store_->DeleteVersion("m", 2).ok());
  models_.Refresh("m");
  response.Clear();
  ASSERT_TRUE(RunOne(Request("m", {1, 2}), response).ok());
  EXPECT_EQ(response.version(), 1);
  EXPECT_EQ(RunOne(Request("m@2", {1, 2}), response).code(), absl::StatusCode::kNotFound);
}

TEST_F(PredictorTest, LetsTheLeastRecentlyUsedModelGo) {
  for (const char* name : {"a", "b", "c"}) store_.Publish(name, Diagonal(1));
  const int64_t one = [&] {
    ResidentModels models(*store_, {});
    EXPECT_TRUE(models.Get({.model = "a", .version = 0, .alias = ""}).ok());
    return models.bytes();
  }();
  ResidentModels models(*store_, {.budget_bytes = 2 * one});
  const auto get = [&](const char* name) {
    return *models.Get({.model = name, .version = 1, .alias = ""});
  };
  const auto a = get("a");
  get("b");
  get("a");
  get("c");  // b goes
  EXPECT_EQ(models.models(), 2);
  EXPECT_EQ(models.bytes(), 2 * one);
  EXPECT_EQ(get("a"), a);
  const auto b = get("b");  // loaded again; c goes
  EXPECT_EQ(models.models(), 2);
  EXPECT_EQ(get("a"), a);
  EXPECT_EQ(get("b"), b);
}

TEST_F(PredictorTest, ThreadsShareModels) {
  store_.Publish("a", Diagonal(1));
  store_.Publish("b", Diagonal(2));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      Predictor predictor(models_, metrics_);
      for (int i = 0; i < 200; ++i) {
        const v1::PredictRequest request = Request((i + t) % 2 == 0 ? "a" : "b", {1, 2});
        v1::PredictResponse response;
        PredictTask task = Task(request, response);
        predictor.Run(absl::MakeSpan(&task, 1));
        EXPECT_TRUE(task.status.ok()) << task.status;
        if (i % 50 == 0) models_.Refresh("a");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace mlp

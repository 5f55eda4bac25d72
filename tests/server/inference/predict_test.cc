// Predict requests through the batcher and the resident models, over a real store.

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/inference/batch_fixture.h"

namespace mlp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using PredictTest = BatchFixture;

TEST_F(PredictTest, AnswersLabelNameAndAllOutputs) {
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

TEST_F(PredictTest, PixelsAreTheSameValuesAsFeatures) {
  store_.Publish("m", Diagonal(0.01f));
  v1::PredictRequest pixels;
  pixels.set_model("m");
  pixels.set_pixels(std::string("\x00\xFF\x80\x01", 4));
  v1::PredictResponse from_pixels, from_features;
  ASSERT_TRUE(RunOne(pixels, from_pixels).ok());
  ASSERT_TRUE(RunOne(Request("m", {0, 255, 128, 1}), from_features).ok());
  EXPECT_EQ(from_pixels.SerializeAsString(), from_features.SerializeAsString());
}

TEST_F(PredictTest, GivesEachCallerItsOwnRowsWhateverTheBatch) {
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
  std::vector<std::unique_ptr<TestRequest>> together;
  for (const v1::PredictRequest& request : requests) together.push_back(Submit(request));
  RunAll();
  for (size_t i = 0; i < requests.size(); ++i) {
    ASSERT_EQ(together[i]->answers, 1) << i;
    ASSERT_TRUE(together[i]->status.ok()) << i << ": " << together[i]->status;
    const v1::PredictResponse& batched = together[i]->response;
    v1::PredictResponse alone;
    ASSERT_TRUE(RunOne(requests[i], alone).ok());
    ASSERT_EQ(batched.outputs_size(), requests[i].features_size()) << i;
    EXPECT_EQ(batched.version(), alone.version()) << i;
    for (int k = 0; k < alone.outputs_size(); ++k) {
      // The block's shape may change the order in which BLAS sums: within a few ulp.
      EXPECT_NEAR(batched.outputs(k), alone.outputs(k), 1e-6) << i << ", " << k;
    }
  }
}

TEST_F(PredictTest, OneBadRequestSpoilsNoOther) {
  store_.Publish("m", Diagonal(1));
  const v1::PredictRequest good = Request("m", {1, 2});
  const v1::PredictRequest bad = Request("m", {1, 2, 3});
  const v1::PredictRequest unknown = Request("nobody", {1, 2});
  const auto first = Submit(bad), second = Submit(good), third = Submit(unknown);
  RunAll();
  EXPECT_EQ(first->status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(second->status.ok());
  EXPECT_EQ(second->response.labels_size(), 1);
  EXPECT_EQ(third->status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(first->answers + second->answers + third->answers, 3);
}

TEST_F(PredictTest, RefusesBadRowsByNameAndNumbers) {
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

TEST_F(PredictTest, UsesANewVersionAfterRefresh) {
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

TEST_F(PredictTest, ForgetsADeletedVersion) {
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

}  // namespace
}  // namespace mlp

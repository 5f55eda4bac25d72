// A batcher that is stepped by hand, over a real store in a temporary folder and a fake clock.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "mlp/v1/prediction.pb.h"
#include "server/inference/batcher.h"
#include "server/inference/predict_message.h"
#include "tests/testing/fake_clock.h"
#include "tests/testing/temporary_store.h"

namespace mlp {

// One Predict request on its way through a batcher, and how it ended.
class TestRequest final : public InferenceCaller {
 public:
  explicit TestRequest(const v1::PredictRequest& request);

  absl::Status Waiting() const override { return waiting; }
  void Answered(InferenceMessage& message, const absl::Status& ended) override;

  PredictMessage message;
  // What Waiting says.
  absl::Status waiting;
  int answers = 0;
  absl::Status status;
  v1::PredictResponse response;

 private:
  const std::string bytes_;
};

class BatchFixture : public ::testing::Test {
 protected:
  // D=2 -> K=2 without a hidden layer: output k is sigmoid(weight * x_k).
  static Artifact Diagonal(float weight);
  static v1::PredictRequest Request(const std::string& model, const std::vector<float>& features);

  std::unique_ptr<TestRequest> Submit(const v1::PredictRequest& request);
  // Until nothing is left to do but what waits for the clock.
  void RunAll();
  // Submits, runs, and returns how it ended.
  absl::Status RunOne(const v1::PredictRequest& request, v1::PredictResponse& response);

  testing::TemporaryStore store_;
  ResidentModels models_{*store_, {}};
  Metrics metrics_;
  FakeClock clock_;
  // Loads where they are asked for.
  Batcher batcher_{{},
                   models_,
                   metrics_,
                   clock_,
                   {.run_elsewhere =
                        [](std::function<void()> task) {
                          task();
                          return true;
                        },
                    .wake = [] {}}};
  Batcher::Worker worker_;
};

}  // namespace mlp

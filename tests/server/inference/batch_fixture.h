// A batcher that is stepped by hand, over a real store in a temporary folder and a fake clock.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>
#include <absl/synchronization/notification.h>
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
  // After all of the above was set, where the answer comes from another thread.
  absl::Notification answered;

 private:
  const std::string bytes_;
};

v1::ServingSettings Limits(int max_batch_rows, int64_t queue_delay_us = 0,
                           int max_queued_requests = 0);

// Batches by their rows, as (rows, executions).
std::vector<std::pair<int64_t, int64_t>> Batches(const ModelCounts& counts);

// Once, with a label for each of `rows` rows.
void ExpectAnswered(const TestRequest& request, int rows);

class BatchFixture : public ::testing::Test {
 protected:
  explicit BatchFixture(const BatcherOptions& options = {});

  // D=2 -> K=2 without a hidden layer: output k is sigmoid(weight * x_k).
  static Artifact Diagonal(float weight);
  static v1::PredictRequest Request(const std::string& model, const std::vector<float>& features);

  // `rows` rows, all different.
  static v1::PredictRequest RowsOf(const std::string& model, int rows);

  std::unique_ptr<TestRequest> Submit(const v1::PredictRequest& request);
  // A request of each number of rows.
  std::vector<std::unique_ptr<TestRequest>> SubmitEach(const std::string& model,
                                                       const std::vector<int>& rows);
  // Until nothing is left to do but what waits for the clock.
  void RunAll();
  // Submits, runs, and returns how it ended.
  absl::Status RunOne(const v1::PredictRequest& request, v1::PredictResponse& response);

  // Loads the model and sets its limits.
  void Limit(const std::string& model, const v1::ServingSettings& limits);
  ModelCounts Counts(const std::string& model, int64_t version = 1) const;
  // Runs the loads that were held back.
  void RunLoads();
  // Until the lane has answered all of them; nothing else is on its way.
  void RunLane(const std::vector<std::unique_ptr<TestRequest>>& requests);

  testing::TemporaryStore store_;
  ResidentModels models_{*store_, {}};
  Metrics metrics_;
  FakeClock clock_;
  // Otherwise models are loaded where they are asked for.
  bool hold_loads_ = false;
  std::vector<std::function<void()>> held_loads_;
  absl::Mutex mutex_;
  int wakes_ ABSL_GUARDED_BY(mutex_) = 0;
  Batcher batcher_;
  Batcher::Worker worker_;
};

}  // namespace mlp

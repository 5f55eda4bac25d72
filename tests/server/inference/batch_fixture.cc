#include "tests/server/inference/batch_fixture.h"

#include <utility>

#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

namespace mlp {

TestRequest::TestRequest(const v1::PredictRequest& request) : bytes_(request.SerializeAsString()) {
  google::protobuf::io::ArrayInputStream in(bytes_.data(), static_cast<int>(bytes_.size()));
  message.set_caller(*this);
  EXPECT_TRUE(message.Parse(in).ok());
}

void TestRequest::Answered(InferenceMessage&, const absl::Status& ended) {
  ++answers;
  status = ended;
  if (ended.ok()) {
    std::string bytes;
    message.AppendResponse(ended, bytes);
    EXPECT_TRUE(response.ParseFromString(bytes));
  }
  if (answers == 1) answered.Notify();
}

BatchFixture::BatchFixture(const BatcherOptions& options)
    : batcher_(options, models_, metrics_, clock_,
               {.run_elsewhere =
                    [this](std::function<void()> task) {
                      if (hold_loads_) {
                        held_loads_.push_back(std::move(task));
                      } else {
                        task();
                      }
                      return true;
                    },
                .wake =
                    [this] {
                      absl::MutexLock lock(&mutex_);
                      ++wakes_;
                    }}) {}

Artifact BatchFixture::Diagonal(float weight) {
  Artifact artifact;
  artifact.network.topology = {2, {{2, Activation::kSigmoid}}};
  artifact.network.parameters.resize(6);
  artifact.network.parameters << weight, 0, 0, weight, 0, 0;
  artifact.scaler = FeatureScaler::Identity(2);
  artifact.schema.features = 2;
  artifact.schema.class_names = {"first", "second"};
  return artifact;
}

v1::PredictRequest BatchFixture::Request(const std::string& model,
                                         const std::vector<float>& features) {
  v1::PredictRequest request;
  request.set_model(model);
  request.mutable_features()->Add(features.begin(), features.end());
  return request;
}

std::unique_ptr<TestRequest> BatchFixture::Submit(const v1::PredictRequest& request) {
  auto submitted = std::make_unique<TestRequest>(request);
  batcher_.Submit(submitted->message);
  return submitted;
}

void BatchFixture::RunAll() {
  while (batcher_.RunReady(worker_) == absl::ZeroDuration()) {
  }
}

void BatchFixture::Limit(const std::string& model, const v1::ServingSettings& limits) {
  ASSERT_TRUE(models_.Load(model).ok());
  models_.Apply(model, limits);
}

ModelCounts BatchFixture::Counts(const std::string& model, int64_t version) const {
  const std::shared_ptr<const ModelStatistics> statistics = models_.Statistics(model, version);
  return statistics == nullptr ? ModelCounts() : statistics->Read();
}

void BatchFixture::RunLoads() {
  for (const auto& load : std::exchange(held_loads_, {})) load();
}

void BatchFixture::RunLane(const std::vector<std::unique_ptr<TestRequest>>& requests) {
  const auto woken = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return wakes_ > 0; };
  for (const auto& request : requests) {
    while (!request->answered.HasBeenNotified()) {
      batcher_.RunReady(worker_);
      // The lane wakes after each batch.
      absl::MutexLock lock(&mutex_, absl::Condition(&woken));
      --wakes_;
    }
  }
}

absl::Status BatchFixture::RunOne(const v1::PredictRequest& request,
                                  v1::PredictResponse& response) {
  const std::unique_ptr<TestRequest> submitted = Submit(request);
  RunAll();
  EXPECT_EQ(submitted->answers, 1);
  response = submitted->response;
  return submitted->status;
}

}  // namespace mlp

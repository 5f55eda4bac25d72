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

v1::ServingSettings Limits(int max_batch_rows, int64_t queue_delay_us, int max_queued_requests) {
  v1::ServingSettings limits;
  limits.set_max_batch_rows(max_batch_rows);
  limits.set_queue_delay_us(queue_delay_us);
  limits.set_max_queued_requests(max_queued_requests);
  return limits;
}

std::vector<std::pair<int64_t, int64_t>> Batches(const ModelCounts& counts) {
  std::vector<std::pair<int64_t, int64_t>> batches;
  for (const auto& [rows, times] : counts.batches) batches.emplace_back(rows, times.executions);
  return batches;
}

void ExpectAnswered(const TestRequest& request, int rows) {
  EXPECT_EQ(request.answers, 1);
  EXPECT_TRUE(request.status.ok()) << request.status;
  EXPECT_EQ(request.response.labels_size(), rows);
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

v1::PredictRequest BatchFixture::RowsOf(const std::string& model, int rows) {
  std::vector<float> features;
  for (int i = 0; i < 2 * rows; ++i) features.push_back(0.001f * static_cast<float>(i));
  return Request(model, features);
}

std::unique_ptr<TestRequest> BatchFixture::Submit(const v1::PredictRequest& request) {
  auto submitted = std::make_unique<TestRequest>(request);
  batcher_.Submit(submitted->message);
  return submitted;
}

std::vector<std::unique_ptr<TestRequest>> BatchFixture::SubmitEach(const std::string& model,
                                                                   const std::vector<int>& rows) {
  std::vector<std::unique_ptr<TestRequest>> requests;
  for (const int count : rows) requests.push_back(Submit(RowsOf(model, count)));
  return requests;
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

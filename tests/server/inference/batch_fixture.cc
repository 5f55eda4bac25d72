#include "tests/server/inference/batch_fixture.h"

#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

namespace mlp {

TestRequest::TestRequest(const v1::PredictRequest& request) : bytes_(request.SerializeAsString()) {
  google::protobuf::io::ArrayInputStream in(bytes_.data(), static_cast<int>(bytes_.size()));
  message.set_caller(*this);
  EXPECT_TRUE(message.Parse(in).ok());
}

void TestRequest::Answered(InferenceMessage& answered, const absl::Status& ended) {
  ++answers;
  status = ended;
  if (!ended.ok()) return;
  std::string bytes;
  answered.AppendResponse(ended, bytes);
  EXPECT_TRUE(response.ParseFromString(bytes));
}

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

absl::Status BatchFixture::RunOne(const v1::PredictRequest& request,
                                  v1::PredictResponse& response) {
  const std::unique_ptr<TestRequest> submitted = Submit(request);
  RunAll();
  EXPECT_EQ(submitted->answers, 1);
  response = submitted->response;
  return submitted->status;
}

}  // namespace mlp

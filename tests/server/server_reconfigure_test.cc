// Server::Reconfigure, seen by clients.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/server_fixture.h"

namespace mlp {
namespace {

using ::testing::HasSubstr;

class Reconfigured : public ServerTest {
 protected:
  // As the fixture started the server.
  ServerOptions Options() const {
    ServerOptions options;
    options.data_dir = folder_ + "/data";
    options.grpc_address = "127.0.0.1:0";
    options.metrics_address = "127.0.0.1:0";
    return options;
  }
  grpc::Status CreateJob() {
    grpc::ClientContext context;
    v1::TrainingJob job;
    return training_->CreateTrainingJob(&context, SmallJob("colours", "blobs"), &job);
  }
};

TEST_F(Reconfigured, LimitsHoldForTheNextCall) {
  ServerOptions options = Options();
  options.max_dataset_bytes = 100;
  ASSERT_TRUE(server_->Reconfigure(options).ok());
  const grpc::Status large = Upload(Header("blobs", 90), Blobs(90));
  EXPECT_EQ(large.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(large.error_message(), HasSubstr("100"));
  ASSERT_TRUE(server_->Reconfigure(Options()).ok());
  EXPECT_TRUE(Upload(Header("blobs", 90), Blobs(90)).ok());

  options = Options();
  options.max_job_memory_bytes = 1;
  ASSERT_TRUE(server_->Reconfigure(options).ok());
  const grpc::Status job = CreateJob();
  EXPECT_EQ(job.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(job.error_message(), HasSubstr("that this server allows a job"));
  ASSERT_TRUE(server_->Reconfigure(Options()).ok());
  Train("colours", "blobs");

  v1::PredictRequest request;
  request.set_model("colours");
  for (int i = 0; i < kFeatures; ++i) request.add_features(1.0f);
  v1::PredictResponse response;
  EXPECT_TRUE(Predict(request, &response).ok());
  options = Options();
  options.model_memory_bytes = 1;
  ASSERT_TRUE(server_->Reconfigure(options).ok());
  const grpc::Status predicted = Predict(request, &response);
  EXPECT_EQ(predicted.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  ASSERT_TRUE(server_->Reconfigure(Options()).ok());
  EXPECT_TRUE(Predict(request, &response).ok());
}

TEST_F(Reconfigured, AnOptionOutOfRangeChangesNothing) {
  ServerOptions options = Options();
  options.max_dataset_bytes = 100;
  options.quota_versions = -1;
  const absl::Status status = server_->Reconfigure(options);
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("quota-versions: expected 0 or more"));
  EXPECT_TRUE(Upload(Header("blobs", 90), Blobs(90)).ok());
}

}  // namespace
}  // namespace mlp

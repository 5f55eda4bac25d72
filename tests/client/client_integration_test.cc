// The client library against a real gRPC server.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/client.h"
#include "tests/client/fake_environment.h"
#include "tests/client/fake_mlpd.h"

namespace mlp {
namespace {

using testing::ElementsAre;

// Rows of 1,000 bytes; may fail at a row.
class TestSource final : public ExampleSource {
 public:
  explicit TestSource(int64_t rows) {
    header_.set_name("d");
    header_.set_rows(rows);
    header_.set_features(1000);
    header_.set_feature_type(v1::FEATURE_TYPE_UINT8);
    header_.set_request_id("once");
  }
  const v1::DatasetHeader& header() const override { return header_; }
  absl::Status Read(int64_t max_rows, ExampleBlock& block) override {
    block = {};
    for (; max_rows > 0 && row_ < header_.rows(); --max_rows, ++row_) {
      if (row_ == fails_at) return absl::InvalidArgumentError("f.idx: the gzip data is damaged");
      block.features += std::string(1000, static_cast<char>(row_));
      block.labels.push_back(static_cast<int32_t>(row_ % 10));
    }
    return absl::OkStatus();
  }
  absl::Status Rewind() override {
    row_ = 0;
    return absl::OkStatus();
  }

  int64_t fails_at = -1;

 private:
  v1::DatasetHeader header_;
  int64_t row_ = 0;
};

class ClientTest : public testing::Test {
 protected:
  ClientTest() : client_(Options()) {}

  ClientOptions Options() {
    ClientOptions options;
    options.server = server_.address();
    options.environment = &environment_;
    return options;
  }

  absl::StatusOr<v1::Dataset> GetDataset(Client& client) {
    v1::GetDatasetRequest request;
    request.set_name("d");
    return client.GetDataset(request);
  }

  // Of the class that `first`, modulo 3, is the index of.
  static v1::PredictRequest OneRow(float first) {
    v1::PredictRequest request;
    request.set_model("digits@3");
    for (const float value : {first, 0.f, 0.f, 0.f}) request.add_features(value);
    request.set_rows(1);
    return request;
  }

  void StoreDataset(size_t bytes) {
    FakeMlpd::StoredDataset stored;
    stored.dataset.set_name("d");
    stored.dataset.set_rows(1);
    stored.features.assign(bytes, 'x');
    stored.labels = {0};
    server_.Store(stored);
  }

  FakeMlpd server_;
  FakeEnvironment environment_;
  Client client_;
};

TEST_F(ClientTest, UploadsEveryRowInChunks) {
  TestSource source(3000);
  int64_t told = 0;
  const auto dataset =
      client_.UploadDataset(source.header(), source, [&told](int64_t rows) { told = rows; });
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(dataset->rows(), 3000);
  EXPECT_EQ(told, 3000);
  const auto stored = server_.datasets().at(0);
  ASSERT_EQ(stored.features.size(), 3'000'000u);
  EXPECT_EQ(stored.features[2999 * 1000], static_cast<char>(2999));
  EXPECT_EQ(stored.labels[2999], 9);
  EXPECT_LE(server_.largest_upload_message(), (size_t{1} << 20) + 32);
}

TEST_F(ClientTest, RepeatsAnUploadThatHasARequestId) {
  server_.FailNext("UploadDataset", 2, absl::UnavailableError("starting"));
  TestSource source(3000);
  const auto dataset = client_.UploadDataset(source.header(), source);
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(server_.calls("UploadDataset"), 3);
  ASSERT_EQ(server_.datasets().size(), 1u);
  EXPECT_EQ(server_.datasets()[0].features.size(), 3'000'000u);
}

TEST_F(ClientTest, NeverRepeatsAnUploadWithoutARequestId) {
  server_.FailNext("UploadDataset", 1, absl::UnavailableError("starting"));
  TestSource source(10);
  v1::DatasetHeader header = source.header();
  header.clear_request_id();
  EXPECT_TRUE(absl::IsUnavailable(client_.UploadDataset(header, source).status()));
  EXPECT_EQ(server_.calls("UploadDataset"), 1);
}

TEST_F(ClientTest, AnUploadRefusedHalfWayReturnsWhy) {
  server_.FailNext("UploadDataset", 1, absl::AlreadyExistsError("dataset d exists"));
  TestSource source(100'000);
  const auto dataset = client_.UploadDataset(source.header(), source);
  EXPECT_TRUE(absl::IsAlreadyExists(dataset.status())) << dataset.status();
  EXPECT_EQ(dataset.status().message(), "dataset d exists");
}

TEST_F(ClientTest, ASourceThatFailsLeavesNothingBehind) {
  TestSource source(5000);
  source.fails_at = 4000;
  EXPECT_EQ(client_.UploadDataset(source.header(), source).status().message(),
            "f.idx: the gzip data is damaged");
  EXPECT_TRUE(server_.datasets().empty());
}

TEST_F(ClientTest, RepeatsReads) {
  StoreDataset(1);
  server_.FailNext("GetDataset", 2, absl::UnavailableError("starting"));
  EXPECT_TRUE(GetDataset(client_).ok());
  EXPECT_EQ(server_.calls("GetDataset"), 3);
  EXPECT_THAT(environment_.sleeps, ElementsAre(absl::Milliseconds(100), absl::Milliseconds(200)));
}

TEST_F(ClientTest, WaitsAsLongAsRetryInfoSays) {
  StoreDataset(1);
  server_.FailNext("GetDataset", 1, absl::ResourceExhaustedError("queue full"), absl::Seconds(3));
  EXPECT_TRUE(GetDataset(client_).ok());
  EXPECT_THAT(environment_.sleeps, ElementsAre(absl::Seconds(3.3)));  // jitter stretches it
  server_.FailNext("GetDataset", 1, absl::ResourceExhaustedError("too large"));
  EXPECT_TRUE(absl::IsResourceExhausted(GetDataset(client_).status()));
}

TEST_F(ClientTest, PredictComesBackWhenTheServerSays) {
  server_.FailNext("Predict", 2, absl::ResourceExhaustedError("queue full"), absl::Milliseconds(2));
  const auto response = client_.Predict(OneRow(4));
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_THAT(response->labels(), ElementsAre(1));
  EXPECT_EQ(server_.calls("Predict"), 3);
  EXPECT_THAT(environment_.sleeps, ElementsAre(absl::Microseconds(2200), absl::Microseconds(4400)));
}

TEST_F(ClientTest, PredictNeverWaitsBeyondItsDeadline) {
  ClientOptions options = Options();
  options.call_timeout = absl::Seconds(20);
  Client client(options);
  const absl::Time begin = environment_.now;
  server_.FailNext("Predict", 100, absl::ResourceExhaustedError("queue full"), absl::Seconds(8));
  EXPECT_TRUE(absl::IsResourceExhausted(client.Predict(OneRow(0)).status()));
  EXPECT_EQ(server_.calls("Predict"), 3);  // twice 8.8 s; 8.8 s more would be too late
  EXPECT_LT(environment_.now, begin + options.call_timeout);
}

TEST_F(ClientTest, PredictNeverRepeatsWhatIsWrong) {
  for (const absl::Status& error :
       {absl::InvalidArgumentError("features"), absl::NotFoundError("model"),
        absl::DataLossError("checksum"), absl::DeadlineExceededError("late"),
        absl::ResourceExhaustedError("too many rows")}) {
    server_.FailNext("Predict", 1, error);
    EXPECT_EQ(client_.Predict(OneRow(0)).status().code(), error.code());
  }
  EXPECT_EQ(server_.calls("Predict"), 5);
  EXPECT_TRUE(environment_.sleeps.empty());
}

TEST_F(ClientTest, SetsServingSettings) {
  v1::SetServingSettingsRequest request;
  request.set_model("digits");
  request.mutable_settings()->set_queue_delay_us(250);
  server_.FailNext("SetServingSettings", 1, absl::UnavailableError("starting"));
  const auto model = client_.SetServingSettings(request);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->serving().queue_delay_us(), 250);
  EXPECT_EQ(server_.calls("SetServingSettings"), 2);
}

TEST_F(ClientTest, NeverRepeatsDeletes) {
  server_.FailNext("DeleteDataset", 1, absl::UnavailableError("starting"));
  EXPECT_TRUE(absl::IsUnavailable(client_.DeleteDataset({})));
  EXPECT_EQ(server_.calls("DeleteDataset"), 1);
}

TEST_F(ClientTest, RepeatsACreateOnlyWithARequestId) {
  v1::CreateTrainingJobRequest request;
  server_.FailNext("CreateTrainingJob", 1, absl::UnavailableError("starting"));
  EXPECT_FALSE(client_.CreateTrainingJob(request).ok());
  request.set_request_id("once");
  server_.FailNext("CreateTrainingJob", 1, absl::UnavailableError("starting"));
  EXPECT_TRUE(client_.CreateTrainingJob(request).ok());
  EXPECT_EQ(server_.calls("CreateTrainingJob"), 3);
}

TEST_F(ClientTest, ACallThatIsNotAnsweredEndsAtItsDeadline) {
  server_.Hang("GetDataset");
  ClientOptions options = Options();
  options.call_timeout = absl::Milliseconds(50);
  Client client(options);
  environment_.now = absl::Now();
  EXPECT_TRUE(absl::IsDeadlineExceeded(GetDataset(client).status()));
}

TEST_F(ClientTest, ReceivesMessagesAboveTheUsualFourMebibytes) {
  StoreDataset(size_t{10} << 20);
  v1::ReadExamplesRequest request;
  request.set_name("d");
  request.set_row_count(1);
  const auto response = client_.ReadExamples(request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->features().size(), size_t{10} << 20);
}

TEST_F(ClientTest, AServerThatIsDownIsUnavailable) {
  ClientOptions options = Options();
  {
    FakeMlpd gone;
    options.server = gone.address();
  }
  Client client(options);
  const absl::Status status = GetDataset(client).status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_EQ(environment_.sleeps.size(), 3u);
}

TEST_F(ClientTest, AWatchThatBreaksDeliversEveryIterationOnce) {
  server_.ScriptJob(10, {3, 0, 4}, v1::JOB_STATE_SUCCEEDED);
  std::vector<int> seen;
  const auto job = client_.WatchTrainingJob(
      1, {}, [&seen](const v1::ProgressPoint& point) { seen.push_back(point.iteration()); });
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_THAT(seen, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
  EXPECT_EQ(server_.calls("WatchTrainingJob"), 4);
}

TEST_F(ClientTest, AStopEndsAnEndlessWatch) {
  server_.ScriptJob(FakeMlpd::kEndless, {}, v1::JOB_STATE_SUCCEEDED);
  std::stop_source stop;
  const auto job = client_.WatchTrainingJob(1, {.stop = stop.get_token()},
                                            [&stop](const v1::ProgressPoint& point) {
                                              if (point.iteration() == 5) stop.request_stop();
                                            });
  EXPECT_TRUE(absl::IsCancelled(job.status())) << job.status();
}

TEST_F(ClientTest, AWatchOfNoJobSaysSo) {
  const auto job = client_.WatchTrainingJob(7, {}, [](const v1::ProgressPoint&) {});
  EXPECT_TRUE(absl::IsNotFound(job.status()));
}

}  // namespace
}  // namespace mlp

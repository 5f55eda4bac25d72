// Predict and StreamPredict of the whole server under many callers at once: whatever is batched
// with whatever, swapped, cancelled or refused, an answer is the answer to its own rows.

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/blocking_counter.h>
#include <absl/synchronization/mutex.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/artifact/artifact.h"
#include "core/base/clock.h"
#include "server/store/sqlite_store.h"
#include "tests/server/server_fixture.h"

namespace mlp {
namespace {

using ::testing::HasSubstr;

constexpr uint32_t kSeed = 424242;
constexpr int kPool = 40;  // rows of each model that requests are made of
constexpr auto kLong = std::chrono::seconds(30);

struct Shape {
  const char* name;
  int features;
  int hidden;
  int classes;
};
// The last one is wide enough for the lane from 10 rows on.
constexpr Shape kShapes[] = {{"small", 3, 4, 2}, {"middle", 40, 30, 10}, {"wide", 200, 1000, 5}};

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

class InferencePropertyTest : public ServerTest {
 protected:
  InferencePropertyTest() {
    StopServer();
    PublishAll();
    StartServer();
    for (size_t i = 0; i < std::size(kShapes); ++i) LearnRows(i);
  }

  void PublishAll() {
    std::mt19937 random(kSeed);
    const std::unique_ptr<Store> store =
        OpenSqliteStore(folder_ + "/data", Clock::System()).value();
    v1::DatasetHeader header = Header("data", 3);
    auto upload = store->BeginDatasetUpload(header).value();
    const Rows blobs = Blobs(3);
    ASSERT_TRUE(upload->Append(blobs.features, blobs.labels).ok());
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

  // Asks for every row of the model's pool alone.
  void LearnRows(size_t model) {
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

  struct Asked {
    size_t model = 0;
    std::vector<size_t> rows;
    v1::PredictRequest request;
  };

  Asked Ask(size_t model, int count, std::mt19937& random) const {
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

  // Empty where `response` is the answer to exactly these rows.
  std::string Mistake(const Asked& asked, const v1::PredictResponse& response) const {
    const int classes = kShapes[asked.model].classes;
    const std::string where = absl::StrCat("seed ", kSeed, ", ", asked.request.model(), ", ");
    if (response.labels_size() != static_cast<int>(asked.rows.size()) ||
        response.outputs_size() != classes * response.labels_size()) {
      return absl::StrCat(where, asked.rows.size(), " rows, labels: ", response.labels_size());
    }
    for (int i = 0; i < response.labels_size(); ++i) {
      const v1::PredictResponse& alone = alone_[asked.model][asked.rows[static_cast<size_t>(i)]];
      for (int k = 0; k < classes; ++k) {
        const float expected = alone.outputs(k);
        const float got = response.outputs(i * classes + k);
        if (!(std::abs(expected - got) <= 1e-5f)) {
          return absl::StrCat(where, "row ", i, ": expected ", expected, ", got ", got);
        }
      }
    }
    return "";
  }

  void ExpectHealthy() {
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

  std::vector<std::string> rows_[std::size(kShapes)];  // as pixels
  std::vector<v1::PredictResponse> alone_[std::size(kShapes)];
};

// --- Calls ---

TEST_F(InferencePropertyTest, EveryCallerGetsTheAnswerToItsOwnRows) {
  constexpr int kThreads = 16;
  constexpr int kCalls = 150;
  std::atomic<int> answered = 0;
  std::vector<std::thread> callers;
  for (int t = 0; t < kThreads; ++t) {
    callers.emplace_back([this, t, &answered] {
      std::mt19937 random(kSeed + 100 + static_cast<uint32_t>(t));
      const auto stub = v1::PredictionService::NewStub(channel_);
      for (int i = 0; i < kCalls; ++i) {
        const Asked asked = Ask(random() % 3, 1 + static_cast<int>(random() % 40), random);
        grpc::ClientContext context;
        const bool hurried = random() % 8 == 0;
        const bool cancelled = !hurried && random() % 8 == 0;
        context.set_deadline(std::chrono::system_clock::now() +
                             (hurried ? std::chrono::milliseconds(1 + random() % 5)
                                      : std::chrono::milliseconds(kLong)));
        v1::PredictResponse response;
        grpc::Status status;
        absl::BlockingCounter ended(1);
        stub->async()->Predict(&context, &asked.request, &response,
                               [&status, &ended](grpc::Status end) {
                                 status = std::move(end);
                                 ended.DecrementCount();
                               });
        if (cancelled) context.TryCancel();
        ended.Wait();
        if (status.ok()) {
          ++answered;
          EXPECT_EQ(Mistake(asked, response), "");
        } else if (hurried) {
          EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
        } else {
          EXPECT_TRUE(cancelled) << status.error_message();
          EXPECT_EQ(status.error_code(), grpc::StatusCode::CANCELLED);
        }
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_GT(answered, kThreads * kCalls / 2);
  ExpectHealthy();
}

TEST_F(InferencePropertyTest, EveryAnswerIsOfOneVersionWhileVersionsAreSwapped) {
  ASSERT_TRUE(Upload(Header("blobs", 30), Blobs(30)).ok());
  Train("swapped", "blobs");
  v1::PredictRequest request;
  request.set_model("swapped");
  for (int i = 0; i < 6 * kFeatures; ++i) request.add_features(0.3f * static_cast<float>(i % 7));
  std::atomic<bool> enough = false;
  absl::Mutex mutex;
  std::map<int64_t, std::vector<v1::PredictResponse>> answers;  // by version
  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t) {
    callers.emplace_back([&] {
      for (int i = 0; i < 20'000 && !enough; ++i) {
        v1::PredictResponse response;
        const grpc::Status status = Predict(request, &response);
        ASSERT_TRUE(status.ok()) << status.error_message();
        absl::MutexLock lock(&mutex);
        answers[response.version()].push_back(response);
      }
    });
  }
  for (int i = 0; i < 5; ++i) Train("swapped", "blobs");
  enough = true;
  for (std::thread& caller : callers) caller.join();
  v1::PredictResponse last;
  ASSERT_TRUE(Predict(request, &last).ok());
  EXPECT_EQ(last.version(), 6);
  EXPECT_GE(answers.size(), 2u);
  for (const auto& [version, responses] : answers) {
    request.set_model(absl::StrCat("swapped@", version));
    v1::PredictResponse alone;
    ASSERT_TRUE(Predict(request, &alone).ok());
    for (const v1::PredictResponse& response : responses) {
      ASSERT_EQ(response.outputs_size(), alone.outputs_size());
      for (int k = 0; k < alone.outputs_size(); ++k) {
        ASSERT_NEAR(response.outputs(k), alone.outputs(k), 1e-5) << "version " << version;
      }
    }
  }
}

TEST_F(InferencePropertyTest, AFullQueueRefusesWithARetryDelayAndAnswersTheOthers) {
  v1::SetServingSettingsRequest settings;
  settings.set_model("wide");
  settings.mutable_settings()->set_max_queued_requests(4);
  v1::Model model;
  grpc::ClientContext settings_context;
  ASSERT_TRUE(models_->SetServingSettings(&settings_context, settings, &model).ok());
  constexpr int kOutstanding = 64;
  struct Call {
    grpc::ClientContext context;
    Asked asked;
    v1::PredictResponse response;
    grpc::Status status;
  };
  std::mt19937 random(kSeed);
  int refused = 0, answered = 0;
  for (int round = 0; round < 20 && refused == 0; ++round) {
    std::vector<std::unique_ptr<Call>> calls;
    absl::BlockingCounter ended(kOutstanding);
    for (int i = 0; i < kOutstanding; ++i) {
      Call& call = *calls.emplace_back(std::make_unique<Call>());
      call.asked = Ask(2, 40, random);
      call.context.set_deadline(std::chrono::system_clock::now() + kLong);
      prediction_->async()->Predict(&call.context, &call.asked.request, &call.response,
                                    [&call, &ended](grpc::Status status) {
                                      call.status = std::move(status);
                                      ended.DecrementCount();
                                    });
    }
    ended.Wait();
    for (const auto& call : calls) {
      if (call->status.ok()) {
        ++answered;
        EXPECT_EQ(Mistake(call->asked, call->response), "");
        continue;
      }
      ++refused;
      EXPECT_EQ(call->status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED)
          << call->status.error_message();
      EXPECT_THAT(call->status.error_details(), HasSubstr("google.rpc.RetryInfo"));
    }
  }
  EXPECT_GT(refused, 0);
  EXPECT_GT(answered, 0);
}

TEST_F(InferencePropertyTest, PeersThatSayNothingHoldUpNobody) {
  const std::string address = server_->addresses().grpc;
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::vector<int> sockets;
  for (int i = 0; i < 20; ++i) {
    const int peer = socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_GE(peer, 0);
    sockets.push_back(peer);
    ASSERT_EQ(connect(peer, reinterpret_cast<const sockaddr*>(&to), sizeof(to)), 0);
    const std::string half = "PRI * HTTP/2.0\r\n";
    ASSERT_EQ(send(peer, half.data(), half.size(), 0), 16);
  }
  ExpectHealthy();
  for (const int peer : sockets) close(peer);
  ExpectHealthy();
}

// --- Streams ---

using Stream = grpc::ClientReaderWriter<v1::StreamPredictRequest, v1::StreamPredictResponse>;

class InferenceStreamTest : public InferencePropertyTest {
 protected:
  InferenceStreamTest() {
    context_.set_deadline(std::chrono::system_clock::now() + 2 * kLong);
    stream_ = prediction_->StreamPredict(&context_);
  }

  // Writes `count` requests for two models from now on, ids from 0 on, and half-closes.
  void WriteAll(int count) {
    std::mt19937 random(kSeed);
    for (int id = 0; id < count; ++id) {
      asked_.push_back(Ask(random() % 2, 1 + static_cast<int>(random() % 3), random));
    }
    writer_ = std::thread([this] {
      v1::StreamPredictRequest message;
      for (size_t id = 0; id < asked_.size(); ++id) {
        message.set_id(static_cast<int64_t>(id));
        *message.mutable_request() = asked_[id].request;
        if (!stream_->Write(message)) break;
        ++written_;
      }
      stream_->WritesDone();
    });
  }

  // Until the end of the stream; every request is answered once and right.
  void ExpectAllAnswered() {
    std::set<int64_t> answered;
    v1::StreamPredictResponse response;
    while (stream_->Read(&response)) {
      ASSERT_TRUE(response.has_response()) << response.error().message();
      ASSERT_LT(static_cast<size_t>(response.id()), asked_.size());
      EXPECT_TRUE(answered.insert(response.id()).second) << response.id();
      EXPECT_EQ(Mistake(asked_[static_cast<size_t>(response.id())], response.response()), "");
    }
    writer_.join();
    const grpc::Status status = stream_->Finish();
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(answered.size(), asked_.size());
  }

  grpc::ClientContext context_;
  std::unique_ptr<Stream> stream_;
  std::vector<Asked> asked_;
  std::thread writer_;
  std::atomic<int> written_ = 0;
};

TEST_F(InferenceStreamTest, EveryIdIsAnsweredOnceAndRight) {
  WriteAll(2000);
  ExpectAllAnswered();
}

TEST_F(InferenceStreamTest, ASlowReaderBlocksOnlyItself) {
  WriteAll(3000);
  // The writer comes to a halt somewhere, or has written all; either way others are answered.
  while (written_ < 500) std::this_thread::yield();
  for (int i = 0; i < 20; ++i) ExpectHealthy();
  ExpectAllAnswered();
}

TEST_F(InferenceStreamTest, HalfCloseDeliversWhatIsOutstanding) {
  WriteAll(300);
  writer_.join();  // all is written and closed before anything is read
  writer_ = std::thread([] {});
  ExpectAllAnswered();
}

TEST_F(InferenceStreamTest, ABadRequestIsAnErrorAndTheStreamGoesOn) {
  v1::StreamPredictRequest bad;
  bad.set_id(1);
  bad.mutable_request()->set_model("small");
  bad.mutable_request()->add_features(1);
  v1::StreamPredictRequest unknown;
  unknown.set_id(2);
  unknown.mutable_request()->set_model("nobody");
  unknown.mutable_request()->add_features(1);
  std::mt19937 random(kSeed);
  const Asked asked = Ask(0, 2, random);
  v1::StreamPredictRequest good;
  good.set_id(3);
  *good.mutable_request() = asked.request;
  std::map<int64_t, v1::StreamPredictResponse> answers;
  for (const auto* request : {&bad, &unknown, &good}) {
    ASSERT_TRUE(stream_->Write(*request));
    v1::StreamPredictResponse response;
    ASSERT_TRUE(stream_->Read(&response));
    answers[response.id()] = response;
  }
  stream_->WritesDone();
  EXPECT_TRUE(stream_->Finish().ok());
  EXPECT_EQ(answers[1].error().code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(answers[2].error().code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(Mistake(asked, answers[3].response()), "");
}

TEST_F(InferenceStreamTest, ACancelledStreamLeavesTheServerHealthy) {
  WriteAll(1000);
  v1::StreamPredictResponse response;
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(stream_->Read(&response));
  context_.TryCancel();
  while (stream_->Read(&response)) {
  }
  writer_.join();
  EXPECT_EQ(stream_->Finish().error_code(), grpc::StatusCode::CANCELLED);
  ExpectHealthy();
}

}  // namespace
}  // namespace mlp

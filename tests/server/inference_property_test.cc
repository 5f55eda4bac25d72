// Predict of the whole server under many callers at once: whatever is batched with whatever,
// swapped, cancelled or refused, an answer is the answer to its own rows. Streams are in
// inference_stream_test.cc.

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <absl/strings/str_cat.h>
#include <absl/synchronization/blocking_counter.h>
#include <absl/synchronization/mutex.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/server/inference_fixture.h"

namespace mlp {
namespace {

using ::testing::HasSubstr;

using InferencePropertyTest = InferenceFixture;

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

}  // namespace
}  // namespace mlp

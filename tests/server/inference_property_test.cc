// Predict of the whole server under many callers at once: whatever is batched with whatever,
// swapped, cancelled or refused, an answer is the answer to its own rows. Streams are in
// inference_stream_test.cc.

#include <atomic>
#include <chrono>
#include <cmath>
#include <functional>
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

// A call that does not block its caller.
struct Call {
  grpc::ClientContext context;
  InferenceFixture::Asked asked;
  v1::PredictResponse response;
  grpc::Status status;
  bool hurried = false;
  bool cancelled = false;
};

class InferencePropertyTest : public InferenceFixture {
 protected:
  // `done` runs on a thread of gRPC's, after all of the call has been set.
  void Start(Call& call, const std::function<void()>& done) {
    prediction_->async()->Predict(&call.context, &call.asked.request, &call.response,
                                  [&call, done](grpc::Status status) {
                                    call.status = std::move(status);
                                    done();
                                  });
  }

  // From a seed of its own and with another lambda, so that no two versions are alike.
  void TrainVersion(int version) {
    v1::CreateTrainingJobRequest request = SmallJob("swapped", "blobs");
    request.mutable_config()->set_lambda(0.1 * version);
    request.mutable_config()->set_seed(version);
    Train(request);
  }
};

TEST_F(InferencePropertyTest, EveryCallerGetsTheAnswerToItsOwnRows) {
  constexpr int kCalls = 3000;  // all outstanding at the same time
  std::mt19937 random(kSeed + 100);
  std::vector<std::unique_ptr<Call>> calls;
  for (int i = 0; i < kCalls; ++i) {
    Call& call = *calls.emplace_back(std::make_unique<Call>());
    call.asked = Ask(random() % 3, 1 + static_cast<int>(random() % 40), random);
    call.hurried = random() % 8 == 0;
    call.cancelled = !call.hurried && random() % 8 == 0;
  }
  absl::BlockingCounter ended(kCalls);
  for (const auto& call : calls) {
    call->context.set_deadline(std::chrono::system_clock::now() +
                               (call->hurried ? std::chrono::milliseconds(1 + random() % 50)
                                              : std::chrono::milliseconds(2 * kLong)));
    Start(*call, [&ended] { ended.DecrementCount(); });
    if (call->cancelled) call->context.TryCancel();
  }
  ended.Wait();
  int answered = 0;
  for (const auto& call : calls) {
    if (call->status.ok()) {
      ++answered;
      EXPECT_EQ(Mistake(call->asked, call->response), "");
    } else if (call->hurried) {
      EXPECT_EQ(call->status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
    } else {
      EXPECT_TRUE(call->cancelled) << call->status.error_message();
      EXPECT_EQ(call->status.error_code(), grpc::StatusCode::CANCELLED);
    }
  }
  EXPECT_GT(answered, kCalls / 2);
  ExpectHealthy();
}

TEST_F(InferencePropertyTest, EveryAnswerIsOfOneVersionWhileVersionsAreSwapped) {
  constexpr int kVersions = 6;
  ASSERT_TRUE(Upload(Header("blobs", 30), Blobs(30)).ok());
  TrainVersion(1);
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
  for (int version = 2; version <= kVersions; ++version) TrainVersion(version);
  enough = true;
  for (std::thread& caller : callers) caller.join();
  v1::PredictResponse last;
  ASSERT_TRUE(Predict(request, &last).ok());
  EXPECT_EQ(last.version(), kVersions);
  EXPECT_GE(answers.size(), 2u);

  std::vector<v1::PredictResponse> alone(kVersions + 1);
  for (int version = 1; version <= kVersions; ++version) {
    request.set_model(absl::StrCat("swapped@", version));
    ASSERT_TRUE(Predict(request, &alone[static_cast<size_t>(version)]).ok());
  }
  // No output of one version passes for that of another.
  for (size_t a = 1; a < alone.size(); ++a) {
    for (size_t b = a + 1; b < alone.size(); ++b) {
      for (int k = 0; k < alone[a].outputs_size(); ++k) {
        ASSERT_GT(std::abs(alone[a].outputs(k) - alone[b].outputs(k)), 2e-5) << a << ", " << b;
      }
    }
  }
  for (const auto& [version, responses] : answers) {
    const v1::PredictResponse& expected = alone[static_cast<size_t>(version)];
    for (const v1::PredictResponse& response : responses) {
      ASSERT_EQ(response.outputs_size(), expected.outputs_size());
      for (int k = 0; k < expected.outputs_size(); ++k) {
        ASSERT_TRUE(SameOutput(expected.outputs(k), response.outputs(k)))
            << "version " << version << ": expected " << expected.outputs(k) << ", got "
            << response.outputs(k);
      }
    }
  }
}

// Many times what the queue holds, at once and again and again.
TEST_F(InferencePropertyTest, AFullQueueRefusesAtOnceAndGoesOnAnswering) {
  SetQueue("wide", 4);
  constexpr int kOutstanding = 64;
  constexpr int kRounds = 20;
  std::mt19937 random(kSeed);
  int refused = 0, answered = 0, refused_before_an_answer = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<std::unique_ptr<Call>> calls;
    absl::BlockingCounter ended(kOutstanding);
    absl::Mutex mutex;
    std::vector<const Call*> order;  // as they ended
    for (int i = 0; i < kOutstanding; ++i) {
      Call& call = *calls.emplace_back(std::make_unique<Call>());
      call.asked = Ask(2, 40, random);
      call.context.set_deadline(std::chrono::system_clock::now() + kLong);
      Start(call, [&call, &ended, &mutex, &order] {
        {
          absl::MutexLock lock(&mutex);
          order.push_back(&call);
        }
        ended.DecrementCount();
      });
    }
    ended.Wait();
    int answered_now = 0;
    int refused_now = 0;
    absl::MutexLock lock(&mutex);
    for (const Call* call : order) {
      if (call->status.ok()) {
        ++answered_now;
        // Had a refusal waited for the queue, none would be there before the last answer is.
        refused_before_an_answer += refused_now;
        refused_now = 0;
        EXPECT_EQ(Mistake(call->asked, call->response), "");
        continue;
      }
      ++refused;
      ++refused_now;
      EXPECT_EQ(call->status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED)
          << call->status.error_message();
      EXPECT_THAT(call->status.error_details(), HasSubstr("google.rpc.RetryInfo"));
    }
    // Whatever is refused, the queue's content is always answered.
    EXPECT_GE(answered_now, 4);
    answered += answered_now;
  }
  EXPECT_GT(refused, 0);
  EXPECT_GT(refused_before_an_answer, 0);
  EXPECT_EQ(answered + refused, kRounds * kOutstanding);
  ExpectHealthy();
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

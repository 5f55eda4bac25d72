// StreamPredict of the whole server: every request of a stream is answered once and right, however
// slow its reader, and a stream that ends early harms nobody.

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/server/inference_fixture.h"

namespace mlp {
namespace {

using Stream = grpc::ClientReaderWriter<v1::StreamPredictRequest, v1::StreamPredictResponse>;

class InferenceStreamTest : public InferenceFixture {
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

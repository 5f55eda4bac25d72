// PredictStream against a real gRPC server.

#include "client/predict_stream.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <thread>

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/client.h"
#include "tests/client/fake_mlpd.h"

namespace mlp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class PredictStreamTest : public testing::Test {
 protected:
  std::unique_ptr<PredictStream> Open(int max_outstanding = 64) {
    ClientOptions options;
    options.server = server_.address();
    return Client(options).OpenPredictStream({.max_outstanding = max_outstanding});
  }

  // Of the class that `first`, modulo 3, is the index of.
  static v1::PredictRequest Row(int64_t first) {
    v1::PredictRequest request;
    request.set_model("digits@3");
    for (const auto value : {static_cast<float>(first), 0.f, 0.f, 0.f}) request.add_features(value);
    request.set_rows(1);
    return request;
  }

  static std::vector<int64_t> ReceiveIds(PredictStream& stream) {
    std::vector<int64_t> ids;
    while (true) {
      auto answer = stream.Receive();
      EXPECT_TRUE(answer.ok()) << answer.status();
      if (!answer.ok() || !*answer) return ids;
      EXPECT_TRUE((*answer)->response.ok()) << (*answer)->response.status();
      EXPECT_EQ((*answer)->response->labels(0), (*answer)->id % 3);
      ids.push_back((*answer)->id);
    }
  }

  FakeMlpd server_;
};

TEST_F(PredictStreamTest, AnswersEveryRequestByItsId) {
  const auto stream = Open(/*max_outstanding=*/16);
  constexpr int64_t kRequests = 5000;
  std::thread sender([&] {
    for (int64_t id = 0; id < kRequests; ++id) {
      const absl::Status sent = stream->Send(id, Row(id));
      ASSERT_TRUE(sent.ok()) << sent;
    }
    stream->DoneSending();
  });
  std::vector<int64_t> expected(kRequests);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(ReceiveIds(*stream), expected);
  sender.join();
  EXPECT_TRUE(stream->Unanswered().empty());
  EXPECT_EQ(server_.calls("StreamPredict"), 1);
}

TEST_F(PredictStreamTest, TakesAnswersInAnyOrder) {
  server_.ScriptStream({.reverse = 4});
  const auto stream = Open();
  for (int64_t id = 0; id < 8; ++id) ASSERT_TRUE(stream->Send(id, Row(id)).ok());
  stream->DoneSending();
  EXPECT_THAT(ReceiveIds(*stream), ElementsAre(3, 2, 1, 0, 7, 6, 5, 4));
}

TEST_F(PredictStreamTest, OneThreadSendsUntilItWouldWait) {
  const auto stream = Open(/*max_outstanding=*/3);
  int64_t sent = 0;
  int64_t received = 0;
  int64_t most = 0;
  while (received < 100) {
    const auto taken = sent < 100 ? stream->TrySend(sent, Row(sent)) : false;
    ASSERT_TRUE(taken.ok()) << taken.status();
    if (*taken) {
      most = std::max(most, ++sent - received);
      continue;
    }
    const auto answer = stream->Receive();
    ASSERT_TRUE(answer.ok() && *answer) << answer.status();
    ++received;
  }
  EXPECT_EQ(most, 3);
  stream->DoneSending();
  EXPECT_FALSE((*stream->Receive()).has_value());
}

TEST_F(PredictStreamTest, SendWaitsForRoom) {
  const auto stream = Open(/*max_outstanding=*/1);
  ASSERT_TRUE(stream->Send(1, Row(1)).ok());
  EXPECT_FALSE(*stream->TrySend(2, Row(2)));
  std::thread sender([&] {
    EXPECT_TRUE(stream->Send(2, Row(2)).ok());
    stream->DoneSending();
  });
  EXPECT_THAT(ReceiveIds(*stream), ElementsAre(1, 2));
  sender.join();
}

TEST_F(PredictStreamTest, AnErrorOfOneRequestLeavesTheStreamOpen) {
  const auto stream = Open();
  v1::PredictRequest unknown = Row(0);
  unknown.set_model("nobody");
  ASSERT_TRUE(stream->Send(7, unknown).ok());
  const auto error = stream->Receive();
  ASSERT_TRUE(error.ok() && *error);
  EXPECT_EQ((*error)->id, 7);
  EXPECT_TRUE(absl::IsNotFound((*error)->response.status()));
  EXPECT_EQ((*error)->response.status().message(), "model nobody does not exist");
  EXPECT_EQ((*error)->retry_delay, absl::ZeroDuration());
  ASSERT_TRUE(stream->Send(8, Row(8)).ok());
  stream->DoneSending();
  EXPECT_THAT(ReceiveIds(*stream), ElementsAre(8));
}

TEST_F(PredictStreamTest, SaysWhenToSendARefusedRequestAgain) {
  server_.FailNext("StreamPredict/request", 1, absl::ResourceExhaustedError("queue full"),
                   absl::Microseconds(1500));
  const auto stream = Open();
  ASSERT_TRUE(stream->Send(1, Row(1)).ok());
  const auto answer = stream->Receive();
  ASSERT_TRUE(answer.ok() && *answer);
  EXPECT_TRUE(absl::IsResourceExhausted((*answer)->response.status()));
  EXPECT_EQ((*answer)->retry_delay, absl::Microseconds(1500));
}

TEST_F(PredictStreamTest, CarriesTheTimeoutRoundedUp) {
  const auto stream = Open();
  ASSERT_TRUE(stream->Send(1, Row(1)).ok());
  ASSERT_TRUE(stream->Send(2, Row(2), absl::Milliseconds(20)).ok());
  ASSERT_TRUE(stream->Send(3, Row(3), absl::Nanoseconds(1)).ok());
  stream->DoneSending();
  EXPECT_EQ(ReceiveIds(*stream).size(), 3u);
  EXPECT_THAT(server_.timeouts_us(), ElementsAre(0, 20'000, 1));
}

TEST_F(PredictStreamTest, AStreamThatBreaksSaysWhatWasNotAnswered) {
  server_.ScriptStream({.reverse = 4, .break_after = 1});
  const auto stream = Open();
  for (int64_t id = 1; id <= 4; ++id) ASSERT_TRUE(stream->Send(id, Row(id)).ok());
  const auto first = stream->Receive();
  ASSERT_TRUE(first.ok() && *first) << first.status();
  EXPECT_EQ((*first)->id, 4);
  const auto broken = stream->Receive();
  EXPECT_TRUE(absl::IsUnavailable(broken.status())) << broken.status();
  EXPECT_EQ(broken.status().message(), "the server stops (3 of the requests not answered)");
  EXPECT_THAT(stream->Unanswered(), ElementsAre(1, 2, 3));
  EXPECT_TRUE(absl::IsUnavailable(stream->Send(5, Row(5))));
  EXPECT_TRUE(absl::IsUnavailable(stream->Receive().status()));
}

TEST_F(PredictStreamTest, AServerThatIsDownIsUnavailable) {
  ClientOptions options;
  {
    FakeMlpd gone;
    options.server = gone.address();
  }
  const auto stream = Client(options).OpenPredictStream();
  stream->Send(1, Row(1)).IgnoreError();
  EXPECT_TRUE(absl::IsUnavailable(stream->Receive().status()));
  EXPECT_TRUE(absl::IsUnavailable(stream->Send(2, Row(2))));
}

TEST_F(PredictStreamTest, CancelWakesBothSides) {
  server_.Hang("StreamPredict/request");
  const auto stream = Open(/*max_outstanding=*/1);
  ASSERT_TRUE(stream->Send(1, Row(1)).ok());
  std::thread sender([&] { EXPECT_TRUE(absl::IsCancelled(stream->Send(2, Row(2)))); });
  std::thread receiver([&] { EXPECT_TRUE(absl::IsCancelled(stream->Receive().status())); });
  stream->Cancel();
  sender.join();
  receiver.join();
  EXPECT_THAT(stream->Unanswered(), ElementsAre(1));
}

TEST_F(PredictStreamTest, MayBeDroppedWithRequestsOutstanding) {
  server_.Hang("StreamPredict/request");
  const auto stream = Open();
  for (int64_t id = 0; id < 10; ++id) ASSERT_TRUE(stream->Send(id, Row(id)).ok());
}

TEST_F(PredictStreamTest, RefusesIdsThatAreOutstandingAndLateRequests) {
  server_.ScriptStream({.reverse = 2});
  const auto stream = Open();
  ASSERT_TRUE(stream->Send(1, Row(1)).ok());
  EXPECT_EQ(stream->Send(1, Row(1)).message(), "id: expected one that is not outstanding, got 1");
  ASSERT_TRUE(stream->Send(2, Row(2)).ok());
  stream->DoneSending();
  EXPECT_EQ(ReceiveIds(*stream).size(), 2u);
  EXPECT_TRUE(absl::IsFailedPrecondition(stream->Send(3, Row(3))));
}

TEST_F(PredictStreamTest, AnAnswerToNothingEndsTheStream) {
  server_.ScriptStream({.add_to_ids = 100});
  const auto stream = Open();
  ASSERT_TRUE(stream->Send(1, Row(1)).ok());
  const auto answer = stream->Receive();
  EXPECT_TRUE(absl::IsInternal(answer.status())) << answer.status();
  EXPECT_THAT(answer.status().message(), HasSubstr("id 101, which was not sent"));
}

}  // namespace
}  // namespace mlp

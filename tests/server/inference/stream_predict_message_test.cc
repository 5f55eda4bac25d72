// StreamPredictMessage against protobuf, as predict_message_test.cc holds PredictMessage to it, and
// the errors that are answers of a stream.

#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <absl/strings/escaping.h>
#include <gtest/gtest.h>

#include "mlp/v1/prediction.pb.h"
#include "server/inference/predict_message.h"
#include "server/retry_delay.h"
#include "tests/server/inference/protobuf_comparison.h"

namespace mlp {
namespace {

v1::StreamPredictRequest StreamRequest(int64_t id, int64_t timeout_us) {
  v1::StreamPredictRequest request;
  request.set_id(id);
  request.set_timeout_us(timeout_us);
  request.mutable_request()->set_model("m");
  request.mutable_request()->add_features(1.5f);
  request.mutable_request()->add_features(-2.5f);
  return request;
}

void ExpectStreamAsProtobuf(const std::string& bytes, int block, const std::string& seed = "") {
  const std::string where = seed + ": " + absl::BytesToHexString(bytes);
  StreamPredictMessage message;
  const absl::Status parsed = ParseBytes(bytes, block, message);
  const auto read = ReadByProtobuf("StreamPredictRequest", bytes);
  const bool accepted = read != nullptr;
  v1::StreamPredictRequest expected;
  const bool is_utf8 = expected.ParseFromString(bytes) == accepted;
  if (parsed.ok() != accepted) {
    EXPECT_TRUE(MayDiffer(read.get(), bytes)) << where;
    return;
  }
  if (!accepted || !is_utf8) return;
  EXPECT_EQ(message.timeout(), expected.timeout_us() > 0 ? absl::Microseconds(expected.timeout_us())
                                                         : absl::InfiniteDuration())
      << where;
  ExpectRows(message, expected.request(), where);
  std::string answer;
  message.AppendResponse(absl::NotFoundError("x"), answer);
  v1::StreamPredictResponse response;
  ASSERT_TRUE(response.ParseFromString(answer)) << where;
  EXPECT_EQ(response.id(), expected.id()) << where;
}

TEST(StreamPredictMessage, ReadsWhatProtobufReadsHoweverItIsSplitOrCut) {
  const int64_t least = std::numeric_limits<int64_t>::min();
  std::vector<std::string> messages = {StreamRequest(0, 0).SerializeAsString(),
                                       StreamRequest(1, 1).SerializeAsString(),
                                       StreamRequest(-1, 5'000'000'000).SerializeAsString(),
                                       StreamRequest(least, least).SerializeAsString(), ""};
  // The parts of a request that comes in several are one.
  messages.push_back(messages[1] + Hex("2a0161") + messages[2]);
  for (const std::string& bytes : messages) {
    for (size_t size = 0; size <= bytes.size(); ++size) {
      for (const int block : {-1, 1, 2, 3, 7}) {
        ExpectStreamAsProtobuf(bytes.substr(0, size), block);
      }
    }
  }
}

TEST(StreamPredictMessage, ReadsMutatedMessagesAsProtobufDoes) {
  constexpr uint32_t kSeed = 20260801;
  std::mt19937 random(kSeed);
  for (int i = 0; i < 20'000 && !::testing::Test::HasFailure(); ++i) {
    v1::StreamPredictRequest request =
        StreamRequest(static_cast<int64_t>(random()), static_cast<int64_t>(random()));
    const int blocks[] = {-1, 1, 2, 3, 7};
    ExpectStreamAsProtobuf(Mutate(request.SerializeAsString(), random), blocks[random() % 5],
                           "seed " + std::to_string(kSeed) + ", number " + std::to_string(i));
  }
}

TEST(StreamPredictMessage, AnswersAreProtobufsBytes) {
  for (const int64_t id : {int64_t{0}, int64_t{1}, int64_t{-1}, int64_t{1} << 40}) {
    StreamPredictMessage message;
    ASSERT_TRUE(ParseBytes(StreamRequest(id, 0).SerializeAsString(), 3, message).ok());
    ASSERT_TRUE(message.Fit(OneFeature()).ok());
    const float outputs[] = {0.25f, 0.5f, 0.75f, 1.0f, 0.0f, 0.0f};
    message.WriteOutputs(0, 2, outputs);
    v1::StreamPredictResponse expected;
    expected.set_id(id);
    expected.mutable_response()->set_version(300);
    for (const int label : {2, 0}) expected.mutable_response()->add_labels(label);
    for (const char* name : {"two", "zero"}) expected.mutable_response()->add_class_names(name);
    expected.mutable_response()->mutable_outputs()->Add(outputs, outputs + 6);
    std::string bytes;
    message.AppendResponse(absl::OkStatus(), bytes);
    EXPECT_EQ(absl::BytesToHexString(bytes), absl::BytesToHexString(expected.SerializeAsString()));
  }
}

TEST(StreamPredictMessage, ErrorsAreAnswersWithTheirRetryDelay) {
  StreamPredictMessage message;
  ASSERT_TRUE(ParseBytes(StreamRequest(77, 0).SerializeAsString(), -1, message).ok());
  v1::StreamPredictResponse expected;
  expected.set_id(77);
  expected.mutable_error()->set_code(8);
  expected.mutable_error()->set_message("full");
  expected.mutable_error()->set_retry_delay_us(25'000);
  std::string bytes;
  message.AppendResponse(
      WithRetryDelay(absl::ResourceExhaustedError("full"), absl::Milliseconds(25)), bytes);
  EXPECT_EQ(absl::BytesToHexString(bytes), absl::BytesToHexString(expected.SerializeAsString()));

  bytes.clear();
  message.AppendResponse(absl::NotFoundError("none"), bytes);
  v1::StreamPredictResponse answer;
  ASSERT_TRUE(answer.ParseFromString(bytes));
  EXPECT_EQ(answer.error().code(), 5);
  EXPECT_EQ(answer.error().message(), "none");
  EXPECT_EQ(answer.error().retry_delay_us(), 0);
}

}  // namespace
}  // namespace mlp

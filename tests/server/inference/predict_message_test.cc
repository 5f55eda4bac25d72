// PredictMessage against protobuf: what protobuf reads it reads, what protobuf refuses it refuses,
// and its responses are byte for byte protobuf's.

#include "server/inference/predict_message.h"

#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <absl/strings/escaping.h>
#include <absl/strings/string_view.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/message.h>
#include <google/protobuf/unknown_field_set.h>
#include <gtest/gtest.h>

#include "mlp/v1/prediction.pb.h"
#include "server/retry_delay.h"

namespace mlp {
namespace {

using google::protobuf::io::ArrayInputStream;

// D = 1, so that every value is a row and any number of values fits.
std::shared_ptr<const ServableModel> OneFeature() {
  static const auto model = [] {
    Artifact artifact;
    artifact.network.topology = {1, {{3, Activation::kSigmoid}}};
    artifact.network.parameters.resize(6);
    artifact.network.parameters << 1, 2, 3, 0, 0, 0;
    artifact.scaler = FeatureScaler::Identity(1);
    artifact.schema.features = 1;
    artifact.schema.class_names = {"zero", "", "two"};
    return std::make_shared<const ServableModel>("m", 300, std::move(artifact));
  }();
  return model;
}

// What `message` says of `bytes`, which come in blocks of `block` bytes; -1: in one.
template <typename Message>
absl::Status ParseBytes(const std::string& bytes, int block, Message& message) {
  ArrayInputStream in(bytes.data(), static_cast<int>(bytes.size()), block);
  return message.Parse(in);
}

// The rows of a parsed message, read one by one and compared with those read together; bit for bit,
// as they may be NaN.
void ExpectRows(PredictMessage& message, const v1::PredictRequest& expected,
                const std::string& where) {
  const int features = expected.features_size();
  const auto pixels = static_cast<int>(expected.pixels().size());
  const absl::StatusOr<int64_t> rows = message.Fit(OneFeature());
  if ((features > 0) == (pixels > 0) || expected.rows() < 0 ||
      (expected.rows() > 0 && expected.rows() != features + pixels)) {
    EXPECT_EQ(rows.status().code(), absl::StatusCode::kInvalidArgument) << where;
    return;
  }
  ASSERT_TRUE(rows.ok()) << rows.status() << where;
  ASSERT_EQ(*rows, features + pixels) << where;
  std::vector<float> values;
  for (const float value : expected.features()) values.push_back(value);
  for (const char pixel : expected.pixels()) values.push_back(static_cast<uint8_t>(pixel));
  std::vector<float> together(values.size());
  message.ReadRows(0, *rows, together.data());
  EXPECT_EQ(std::memcmp(together.data(), values.data(), values.size() * sizeof(float)), 0) << where;
  for (size_t i = 0; i < values.size(); ++i) {
    float value = 0;
    message.ReadRows(static_cast<int64_t>(i), 1, &value);
    ASSERT_EQ(std::memcmp(&value, &values[i], sizeof(value)), 0) << i << where;
  }
}

// Protobuf knows groups, and steps over those that the message does not have.
bool HasGroup(const google::protobuf::Message& message) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  const google::protobuf::UnknownFieldSet& unknown = reflection.GetUnknownFields(message);
  for (int i = 0; i < unknown.field_count(); ++i) {
    if (unknown.field(i).type() == google::protobuf::UnknownField::TYPE_GROUP) return true;
  }
  const auto* request = message.GetDescriptor()->FindFieldByName("request");
  return request != nullptr && HasGroup(reflection.GetMessage(message, request));
}

// What protobuf reads from `bytes` as the message `name`, were PredictRequest.model not a string
// but bytes: whether it is UTF-8 then does not matter. Null where it refuses them.
std::unique_ptr<google::protobuf::Message> ReadByProtobuf(const std::string& name,
                                                          const std::string& bytes) {
  static google::protobuf::DescriptorPool pool;
  static google::protobuf::DynamicMessageFactory factory(&pool);
  static const google::protobuf::FileDescriptor* const file = [] {
    google::protobuf::FileDescriptorProto proto;
    v1::PredictRequest::descriptor()->file()->CopyTo(&proto);
    for (google::protobuf::DescriptorProto& message : *proto.mutable_message_type()) {
      if (message.name() != "PredictRequest") continue;
      message.mutable_field(0)->set_type(google::protobuf::FieldDescriptorProto::TYPE_BYTES);
    }
    return pool.BuildFile(proto);
  }();
  std::unique_ptr<google::protobuf::Message> message(
      factory.GetPrototype(file->FindMessageTypeByName(name))->New());
  return message->ParseFromString(bytes) ? std::move(message) : nullptr;
}

// Protobuf refuses tags of more than five bytes; we read their lower bits.
bool MayHaveLongTag(const std::string& bytes) {
  int run = 0;
  for (const char byte : bytes) {
    run = static_cast<signed char>(byte) < 0 ? run + 1 : 0;
    if (run == 5) return true;
  }
  return false;
}

// Both verdicts are the same, and where they are good, so are the rows. Known exceptions: groups,
// which we refuse, names that are not UTF-8, which are left to fail as names, and overlong tags.
void ExpectAsProtobuf(const std::string& bytes, int block, const std::string& seed = "") {
  const std::string where =
      seed + " blocks of " + std::to_string(block) + ": " + absl::BytesToHexString(bytes);
  PredictMessage message;
  const absl::Status parsed = ParseBytes(bytes, block, message);
  if (!parsed.ok()) {
    EXPECT_EQ(parsed.code(), absl::StatusCode::kInvalidArgument) << where;
  }
  const auto read = ReadByProtobuf("PredictRequest", bytes);
  const bool accepted = read != nullptr;
  v1::PredictRequest expected;
  const bool is_utf8 = expected.ParseFromString(bytes) == accepted;
  if (parsed.ok() != accepted) {
    EXPECT_TRUE(accepted ? HasGroup(*read) : MayHaveLongTag(bytes)) << where;
    return;
  }
  if (!accepted || !is_utf8) return;
  EXPECT_EQ(std::string(message.model_reference()), expected.model().substr(0, 256)) << where;
  ExpectRows(message, expected, where);
}

std::string Hex(const char* hex) { return absl::HexStringToBytes(hex); }

// 1.0f, 2.0f and so on, packed in one field.
std::string Packed(const std::vector<float>& values) {
  v1::PredictRequest request;
  request.mutable_features()->Add(values.begin(), values.end());
  return request.SerializeAsString();
}

std::string OneValue(float value) {
  std::string bytes = Hex("15");
  bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
  return bytes;
}

std::string Name(const std::string& name) {
  v1::PredictRequest request;
  request.set_model(name);
  return request.SerializeAsString();
}

std::string Pixels(const std::string& pixels) {
  v1::PredictRequest request;
  request.set_pixels(pixels);
  return request.SerializeAsString();
}

std::string RowsField(int32_t rows) {
  v1::PredictRequest request;
  request.set_rows(rows);
  return request.SerializeAsString();
}

// Well-formed messages of all shapes.
std::vector<std::string> Messages() {
  const std::string unknown = Hex("28b90a") + Hex("310102030405060708") + Hex("3a03616263") +
                              Hex("4501020304") + Hex("0801") + Hex("12") + Hex("00");
  std::vector<std::string> messages = {
      "",
      Name("m") + Packed({1, 2, 3}),
      Packed({1, 2, 3}) + Name("m"),
      Name("m") + OneValue(1) + OneValue(-2) + OneValue(3),
      Name("m") + Packed({1, 2}) + Packed({3}) + Packed({4, 5, 6}),
      Name("m") + OneValue(1) + Packed({2, 3}) + OneValue(4) + OneValue(5) + Packed({6}),
      Name("m") + Pixels("abc"),
      Pixels("abcdef") + Name("m") + Pixels(std::string("\0\xFF\x80", 3)),
      Name("first") + Packed({1}) + Name("second"),
      Name("m") + unknown + Packed({1, 2}) + unknown + RowsField(2),
      RowsField(2) + Name("m") + Packed({1, 2}),
      RowsField(7) + Name("m") + Packed({1, 2}) + RowsField(2),
      RowsField(-1) + Name("m") + Packed({1, 2}),
      Name("m") + Packed({1}) + Pixels("a"),
      Name("m") + Packed({1}) + Pixels("a") + Hex("1a00"),
      Name("m@12") + Packed(std::vector<float>(40, 0.5f)),
      Name(std::string(300, 'n')) + Packed({1}),
  };
  return messages;
}

TEST(PredictMessage, ReadsWhatProtobufReadsHoweverItIsSplit) {
  for (const std::string& bytes : Messages()) {
    for (const int block : {-1, 1, 2, 3, 7}) ExpectAsProtobuf(bytes, block);
  }
}

TEST(PredictMessage, ReadsManyValuesThatAreNotPacked) {
  std::string bytes = Name("m");
  for (int i = 0; i < 10'000; ++i) bytes += OneValue(static_cast<float>(i));
  ExpectAsProtobuf(bytes, -1);
  ExpectAsProtobuf(bytes, 4099);
}

TEST(PredictMessage, ReadsTruncatedMessagesAsProtobufDoes) {
  for (const std::string& bytes : Messages()) {
    for (size_t size = 0; size < bytes.size(); ++size) {
      for (const int block : {-1, 1, 3}) ExpectAsProtobuf(bytes.substr(0, size), block);
    }
  }
}

TEST(PredictMessage, RefusesWhatIsNoMessage) {
  for (const char* hex : {
           "00",                        // tag 0
           "0200",                      // field 0
           "0a",                        // no length
           "0aff",                      // half a length
           "0affffffffff",              // a length that never ends
           "0a8080808010",              // a length over 2^31
           "12808080800f61",            // the same of features
           "1affffffff0f61",            // and of pixels
           "120301020312050102030405",  // two runs, neither of whole values
           "1501",                      // half a value
           "20ffffffffffffffffffff01",  // a varint of 11 bytes
           "0b", "0c", "0e", "0f",      // wire types that there are not
           "3affffffff07",              // an unknown field over everything
       }) {
    for (const int block : {-1, 1}) {
      PredictMessage message;
      EXPECT_FALSE(v1::PredictRequest().ParseFromString(Hex(hex))) << hex;
      EXPECT_FALSE(ParseBytes(Hex(hex), block, message).ok()) << hex;
    }
  }
}

TEST(PredictMessage, RefusesGroups) {
  const std::string group = Hex("2b2c");  // field 5, empty
  PredictMessage message;
  EXPECT_TRUE(v1::PredictRequest().ParseFromString(group));
  EXPECT_FALSE(ParseBytes(group, -1, message).ok());
}

TEST(PredictMessage, ForgetsTheMessageBefore) {
  PredictMessage message;
  const std::vector<std::string> messages = Messages();
  for (const std::string& bytes : messages) {
    ASSERT_TRUE(
        ParseBytes(Name("x") + Packed({9, 9}) + OneValue(8) + RowsField(3), 3, message).ok());
    ASSERT_TRUE(message.Fit(OneFeature()).ok());
    message.Clear();
    v1::PredictRequest expected;
    ASSERT_TRUE(expected.ParseFromString(bytes));
    ASSERT_TRUE(ParseBytes(bytes, -1, message).ok());
    EXPECT_EQ(std::string(message.model_reference()), expected.model().substr(0, 256));
    ExpectRows(message, expected, "");
  }
}

// A message with some bytes changed, left out, put in, or doubled.
std::string Mutate(std::string bytes, std::mt19937& random) {
  const int changes = 1 + static_cast<int>(random() % 3);
  for (int i = 0; i < changes; ++i) {
    const size_t at = bytes.empty() ? 0 : random() % bytes.size();
    switch (random() % 6) {
      case 0:
        if (!bytes.empty()) bytes[at] = static_cast<char>(random());
        break;
      case 1:
        if (!bytes.empty()) bytes[at] ^= static_cast<char>(1 << random() % 8);
        break;
      case 2:
        if (!bytes.empty()) bytes.erase(at, 1 + random() % 4);
        break;
      case 3:
        bytes.insert(at, 1, static_cast<char>(random()));
        break;
      case 4:
        bytes.insert(at, bytes.substr(at, random() % 12));
        break;
      default:
        bytes.resize(at);
    }
  }
  return bytes;
}

TEST(PredictMessage, ReadsMutatedMessagesAsProtobufDoes) {
  constexpr uint32_t kSeed = 20260731;
  std::mt19937 random(kSeed);
  const std::vector<std::string> messages = Messages();
  for (int i = 0; i < 20'000 && !::testing::Test::HasFailure(); ++i) {
    const std::string bytes = Mutate(messages[random() % messages.size()], random);
    const int blocks[] = {-1, 1, 2, 3, 7};
    ExpectAsProtobuf(bytes, blocks[random() % 5],
                     "seed " + std::to_string(kSeed) + ", number " + std::to_string(i));
  }
}

// --- Responses ---

void ExpectResponseOfProtobuf(int rows, std::mt19937& random) {
  PredictMessage message;
  ASSERT_TRUE(
      ParseBytes(Name("m") + Pixels(std::string(static_cast<size_t>(rows), 'x')), -1, message)
          .ok());
  ASSERT_TRUE(message.Fit(OneFeature()).ok());
  v1::PredictResponse expected;
  expected.set_version(300);
  for (int row = 0; row < rows; ++row) {
    float outputs[3];
    int label = 0;
    for (int k = 0; k < 3; ++k) {
      outputs[k] = static_cast<float>(random() % 5) / 4;  // often equal: the lowest class wins
      if (outputs[k] > outputs[label]) label = k;
    }
    message.WriteOutputs(row, 1, outputs);
    expected.mutable_outputs()->Add(outputs, outputs + 3);
    expected.add_labels(label);
    expected.add_class_names(OneFeature()->class_names()[static_cast<size_t>(label)]);
  }
  std::string bytes = "before";
  message.AppendResponse(absl::OkStatus(), bytes);
  EXPECT_EQ(absl::BytesToHexString(bytes),
            absl::BytesToHexString("before" + expected.SerializeAsString()))
      << rows;
}

TEST(PredictMessage, ResponsesAreProtobufsBytes) {
  std::mt19937 random(7);
  for (const int rows : {1, 2, 3, 10, 42, 43, 127, 128, 1000, 6000}) {
    ExpectResponseOfProtobuf(rows, random);
  }
}

// --- Streams ---

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
    EXPECT_TRUE(accepted ? HasGroup(*read) : MayHaveLongTag(bytes)) << where;
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

// PredictMessage against protobuf: what protobuf reads it reads, what protobuf refuses it refuses,
// and its responses are byte for byte protobuf's.

#include "server/inference/predict_message.h"

#include <random>
#include <string>
#include <vector>

#include <absl/strings/escaping.h>
#include <gtest/gtest.h>

#include "mlp/v1/prediction.pb.h"
#include "tests/server/inference/protobuf_comparison.h"

namespace mlp {
namespace {

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
    EXPECT_TRUE(MayDiffer(read.get(), bytes)) << where;
    return;
  }
  if (!accepted || !is_utf8) return;
  EXPECT_EQ(std::string(message.model_reference()), expected.model().substr(0, 256)) << where;
  ExpectRows(message, expected, where);
}

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

}  // namespace
}  // namespace mlp

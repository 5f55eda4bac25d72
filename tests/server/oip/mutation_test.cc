// Thousands of damaged requests, from a fixed seed, against protobuf: what it reads is read the
// same, what it refuses is refused; each that is read is refused or answered in whole, and nothing
// reads or writes where it should not (the asan preset watches).
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include <absl/strings/escaping.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

#include "server/oip/infer_request_parser.h"
#include "tests/server/oip/oip_fixture.h"

namespace mlp {
namespace {

using google::protobuf::io::ArrayInputStream;

constexpr int kMutations = 40'000;
constexpr uint32_t kSeed = 20'240'611;

// Well-formed messages of all shapes.
std::vector<std::string> Originals() {
  std::vector<inference::ModelInferRequest> requests;
  requests.push_back(testing::RawRequest<float>("FP32", {1, 2, 3, 4, 5, 6, 7, 8}));
  requests.push_back(testing::RawRequest<double>("FP64", {1, 2, 3, 4}));
  requests.push_back(testing::RawRequest<uint8_t>("UINT8", {1, 2, 3, 4, 5, 6, 7, 8}));
  requests.push_back(testing::TypedRequest({1, 2, 3, 4, 5, 6, 7, 8}));
  requests.push_back(testing::RequestFor("UINT8", 1));
  requests.back().mutable_inputs(0)->mutable_contents()->mutable_uint_contents()->Resize(4, 200);
  requests.push_back(requests[0]);
  requests.back().set_model_version("7");
  requests.back().set_id("\xC3\xA9");
  (*requests.back().mutable_parameters())["timeout"].set_int64_param(1000);
  requests.back().add_outputs()->set_name("output");
  (*requests.back().mutable_outputs(0)->mutable_parameters())["classification"].set_int64_param(2);
  requests.back().add_outputs()->set_name("label");
  std::vector<std::string> bytes = {""};
  for (const auto& request : requests) bytes.push_back(request.SerializeAsString());
  const std::string plain = bytes[1];
  const std::string unknown = absl::HexStringToBytes(
      "40b90a"            // 8: a varint
      "49"                // 9: 8 bytes
      "0102030405060708"  //
      "5203616263"        // 10: bytes
      "5d01020304"        // 11: 4 bytes
      "3801");            // 7 as a varint
  const std::string group = absl::HexStringToBytes(
      "433a0161"
      "44");  // 8, with a 7 inside
  const std::string raw = absl::HexStringToBytes("3a03") + "xyz";
  bytes.push_back(plain + plain);  // two inputs, two buffers, names twice
  bytes.push_back(raw + plain);    // buffers first
  bytes.push_back(unknown + plain + unknown);
  bytes.push_back(group + plain);      // buffers that protobuf reads
  bytes.push_back(raw + group + raw);  // and of which it reads some
  bytes.push_back(plain + absl::HexStringToBytes("0a016d") + raw + absl::HexStringToBytes("3a00"));
  bytes.push_back(absl::HexStringToBytes("ba00") + plain.substr(1));  // a tag in two bytes
  return bytes;
}

class Mutator {
 public:
  // None to three changes of `bytes`; `other` lends a piece.
  std::string Mutate(std::string bytes, const std::string& other) {
    for (size_t changes = Below(4); changes > 0; --changes) {
      const size_t at = Below(bytes.size() + 1);
      switch (Below(6)) {
        case 0:  // another bit
          if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << Below(8)));
          break;
        case 1:  // another byte, the extreme ones often
          if (at < bytes.size()) bytes[at] = "\x00\x01\x7F\x80\xFF"[Below(5)];
          break;
        case 2:  // a byte more
          bytes.insert(at, 1, static_cast<char>(Below(256)));
          break;
        case 3:  // a piece less
          bytes.erase(at, 1 + Below(4));
          break;
        case 4:  // the end less
          bytes.resize(at);
          break;
        default:  // a piece of another request
          if (!other.empty()) bytes.insert(at, other, Below(other.size()), Below(24));
      }
    }
    return bytes;
  }

  size_t Below(size_t bound) {
    return std::uniform_int_distribution<size_t>(0, bound - 1)(random_);
  }

 private:
  std::mt19937 random_{kSeed};
};

// Whether protobuf takes the bytes, which come in blocks of `block` bytes (-1: in one); the parser
// says the same of them.
bool ReadAsByProtobuf(const std::string& bytes, int block, InferRequestParser& parser) {
  inference::ModelInferRequest expected;
  const bool accepted = expected.ParseFromString(bytes);
  ArrayInputStream in(bytes.data(), static_cast<int>(bytes.size()), block);
  parser.Clear();
  EXPECT_EQ(parser.Parse(in), accepted);
  if (!accepted || ::testing::Test::HasFailure()) return accepted;
  EXPECT_EQ(parser.raw_inputs(), expected.raw_input_contents_size());
  if (expected.raw_input_contents_size() > 0) {
    std::string raw(static_cast<size_t>(parser.raw_input().size()), '\0');
    parser.raw_input().Copy(0, parser.raw_input().size(), raw.data());
    EXPECT_EQ(absl::BytesToHexString(raw), absl::BytesToHexString(expected.raw_input_contents(0)));
  }
  inference::ModelInferRequest rest = parser.request();
  rest.clear_raw_input_contents();
  expected.clear_raw_input_contents();
  // As text, where NaN equals NaN and a map has one order.
  EXPECT_EQ(rest.DebugString(), expected.DebugString());
  return true;
}

// Exactly as large as the request says, so that a byte too many is seen.
void Answer(testing::OipCall& call, int64_t rows, const std::string& where) {
  const std::vector<float> values = call.Rows(rows);
  for (int64_t row = 0; row < rows; ++row) {
    float alone[4];
    call.ReadRows(row, 1, alone);
    EXPECT_EQ(std::memcmp(alone, values.data() + row * 4, sizeof(alone)), 0) << where;
  }
  const std::vector<float> outputs(static_cast<size_t>(rows) * 3, values[0]);
  for (int64_t row = rows; row > 0; --row) call.WriteOutputs(row - 1, 1, outputs.data());
  EXPECT_EQ(call.Response().outputs(0).shape(0), rows) << where;
}

TEST(DamagedRequest, IsReadAsByProtobufAndRefusedOrAnsweredInWhole) {
  const std::vector<std::string> originals = Originals();
  const auto model = testing::MakeModel();
  Mutator mutator;
  InferRequestParser parser;
  const google::protobuf::LogSilencer silencer;  // it reports each text that is not UTF-8
  int refused = 0;
  int answered = 0;
  for (int i = 0; i < kMutations && !::testing::Test::HasFailure(); ++i) {
    const std::string& original = originals[mutator.Below(originals.size())];
    const std::string& other = originals[mutator.Below(originals.size())];
    const std::string bytes = mutator.Mutate(original, other);
    const int blocks[] = {-1, 1, 2, 3, 7, 64};
    const int block = blocks[mutator.Below(6)];
    const std::string where = "seed " + std::to_string(kSeed) + ", number " + std::to_string(i) +
                              ", blocks of " + std::to_string(block) + ": " +
                              absl::BytesToHexString(bytes);
    SCOPED_TRACE(where);
    if (!ReadAsByProtobuf(bytes, block, parser)) {
      ++refused;
      continue;
    }
    testing::OipCall call;
    ArrayInputStream in(bytes.data(), static_cast<int>(bytes.size()), block);
    ASSERT_TRUE(call.Parse(in).ok());
    absl::Status status = call.Check();
    if (status.ok()) {
      const absl::StatusOr<int64_t> rows = call.Fit(model);
      status = rows.status();
      if (rows.ok()) {
        ++answered;
        Answer(call, *rows, where);
      }
    }
    EXPECT_TRUE(status.ok() || absl::IsInvalidArgument(status) || absl::IsResourceExhausted(status))
        << status;
  }
  // All ends were reached often.
  EXPECT_GT(refused, kMutations / 10);
  EXPECT_GT(answered, kMutations / 10);
  EXPECT_LT(refused + answered, kMutations / 10 * 9);
}

TEST(CutRequest, IsReadAsByProtobuf) {
  const google::protobuf::LogSilencer silencer;
  InferRequestParser parser;
  for (const std::string& bytes : Originals()) {
    for (size_t size = 0; size <= bytes.size(); ++size) {
      for (const int block : {-1, 1, 3}) {
        SCOPED_TRACE(absl::BytesToHexString(bytes.substr(0, size)));
        ReadAsByProtobuf(bytes.substr(0, size), block, parser);
      }
    }
  }
}

TEST(OddRequest, IsReadAsByProtobuf) {
  InferRequestParser parser;
  for (const char* hex : {
           "00",           "0200",           "3c",
           "3b3c",         "433a016144",     "43",  // no field, groups
           "3a",           "3aff",           "3affffffff07",
           "3a8080808010",                                  // lengths over the end
           "3a8080808000", "3a808080808000",                // 0 in five bytes and in six
           "ba8080800000", "ba808080800000",                // the tag in five bytes and in six
           "ba8080807000",                                  // with bits over the 32nd
           "3a01ff",       "0a01ff",         "2a030a01ff",  // no UTF-8
           "3801",         "3d01020304",     "390102030405060708",  // 7 of other wire types
       }) {
    for (const int block : {-1, 1}) {
      SCOPED_TRACE(hex);
      ReadAsByProtobuf(absl::HexStringToBytes(hex), block, parser);
    }
  }
}

}  // namespace
}  // namespace mlp

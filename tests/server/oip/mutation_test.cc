// Thousands of damaged requests that still parse, from a fixed seed: each is refused or answered,
// and nothing reads or writes where it should not (the asan preset watches).
// and nothing reads or writes where it should not (the asan preset watches).
#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

#include "tests/server/oip/oip_fixture.h"

namespace mlp {
namespace {

constexpr int kParsed = 20'000;
constexpr uint32_t kSeed = 20'240'611;

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
  (*requests.back().mutable_parameters())["timeout"].set_int64_param(1000);
  requests.back().add_outputs()->set_name("output");
  (*requests.back().mutable_outputs(0)->mutable_parameters())["classification"].set_int64_param(2);
  requests.back().add_outputs()->set_name("label");
  std::vector<std::string> bytes;
  for (const auto& request : requests) bytes.push_back(request.SerializeAsString());
  return bytes;
}

class Mutator {
 public:
  // One to three changes of `bytes`; `other` lends a piece.
  std::string Mutate(std::string bytes, const std::string& other) {
    for (size_t changes = 1 + Below(3); changes > 0; --changes) {
      const size_t at = Below(bytes.size() + 1);
      switch (Below(5)) {
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
        default: {  // a piece of another request
          const size_t from = Below(other.size());
          bytes.insert(at, other, from, Below(24));
        }
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

TEST(DamagedRequest, IsRefusedOrAnsweredInWhole) {
  const std::vector<std::string> originals = Originals();
  const auto model = testing::MakeModel();
  Mutator mutator;
  testing::OwnedOipRequest request;
  const google::protobuf::LogSilencer silencer;  // it reports each text that is not UTF-8
  int parsed = 0;
  int answered = 0;
  while (parsed < kParsed) {
    const std::string& original = originals[mutator.Below(originals.size())];
    const std::string& other = originals[mutator.Below(originals.size())];
    request.request.Clear();
    request.response.Clear();
    if (!request.request.ParseFromString(mutator.Mutate(original, other))) continue;
    ++parsed;
    const absl::StatusOr<int64_t> rows = request.Begin(model);
    if (!rows.ok()) {
      EXPECT_TRUE(absl::IsInvalidArgument(rows.status()) ||
                  absl::IsResourceExhausted(rows.status()))
          << rows.status();
      EXPECT_EQ(request.response.ByteSizeLong(), 0u) << parsed;
      continue;
    }
    ++answered;
    // Exactly as large as the request says, so that a byte too many is seen.
    const std::vector<float> values = request.Rows(*rows);
    const std::vector<float> outputs(static_cast<size_t>(*rows) * 3, values[0]);
    for (int64_t row = *rows; row > 0; --row) request.WriteOutputs(row - 1, 1, outputs.data());
    EXPECT_EQ(request.response.outputs(0).shape(0), *rows);
    EXPECT_FALSE(request.response.SerializeAsString().empty());
    request.Release();
  }
  // Both ends were reached often.
  EXPECT_GT(answered, kParsed / 10);
  EXPECT_LT(answered, kParsed / 10 * 9);
}

}  // namespace
}  // namespace mlp

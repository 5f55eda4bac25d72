#include "core/artifact/artifact_header.h"

#include <string>

#include <absl/strings/str_replace.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/artifact/example_artifact.h"

namespace mlp {
namespace {

using ::testing::HasSubstr;

ArtifactHeader ExampleHeader() {
  const Artifact artifact = ExampleArtifact();
  return {artifact.network.topology, artifact.cost, artifact.schema};
}

constexpr char kExample[] =
    R"({"topology":{"inputs":2,"layers":[{"units":3,"activation":"tanh","threshold":0.0},)"
    R"({"units":2,"activation":"step","threshold":0.25}]},"cost":"sigmoid_cross_entropy",)"
    R"("schema":{"features":2,"feature_type":"uint8","class_names":["zéro","one"],)"
    R"("image":{"height":1,"width":2,"channels":1}}})";

// Replaces `from`, which must be there, and expects the reader to refuse what comes of it.
void ExpectRefused(const std::string& from, const std::string& to, const std::string& message) {
  const std::string json = absl::StrReplaceAll(kExample, {{from, to}});
  ASSERT_NE(json, kExample) << from;
  const absl::Status status = ReadArtifactHeader(json).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << to << ": " << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("artifact: section header: " + message))
      << to;
}

TEST(ArtifactHeader, IsWrittenAsDocumented) {
  EXPECT_EQ(WriteArtifactHeader(ExampleHeader()), kExample);
}

TEST(ArtifactHeader, ReadsWhatItWrites) {
  const absl::StatusOr<ArtifactHeader> header = ReadArtifactHeader(kExample);
  ASSERT_TRUE(header.ok()) << header.status();
  const ArtifactHeader example = ExampleHeader();
  EXPECT_EQ(header->topology, example.topology);
  EXPECT_EQ(header->cost, example.cost);
  EXPECT_EQ(header->schema.class_names, example.schema.class_names);
  EXPECT_EQ(header->schema.image, example.schema.image);
}

TEST(ArtifactHeader, IgnoresMembersThatItDoesNotKnow) {
  EXPECT_TRUE(ReadArtifactHeader(
                  absl::StrReplaceAll(kExample, {{"\"inputs\":2", "\"inputs\":2,\"later\":[{}]"}}))
                  .ok());
}

TEST(ArtifactHeader, NeedsNoImage) {
  const absl::StatusOr<ArtifactHeader> header = ReadArtifactHeader(
      absl::StrReplaceAll(kExample, {{R"(,"image":{"height":1,"width":2,"channels":1})", ""}}));
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_FALSE(header->schema.image.has_value());
}

TEST(ArtifactHeader, RefusesWhatIsNoJsonObject) {
  for (const char* text : {"", "null", "[]", "7", "{", "{}", "\xFF", "{\"topology\":{}}",
                           "{\"topology\":[],\"schema\":{}}"}) {
    EXPECT_EQ(ReadArtifactHeader(text).status(),
              absl::DataLossError("artifact: section header: its text: expected JSON with the "
                                  "objects topology and schema"))
        << text;
  }
}

TEST(ArtifactHeader, RefusesEveryTruncation) {
  const absl::string_view example = kExample;
  for (size_t size = 0; size < example.size(); ++size) {
    ASSERT_EQ(ReadArtifactHeader(example.substr(0, size)).status().code(),
              absl::StatusCode::kDataLoss)
        << size;
  }
}

TEST(ArtifactHeader, RefusesMembersOfTheWrongType) {
  for (const char* value : {"null", "\"2\"", "2.0", "-1", "[2]", "2147483648",
                            "9223372036854775808", "18446744073709551615", "1e99"}) {
    ExpectRefused("\"inputs\":2", std::string("\"inputs\":") + value,
                  "inputs: expected a whole number from 0 to 2147483647");
    ExpectRefused("\"units\":3", std::string("\"units\":") + value, "units: expected");
    ExpectRefused("\"width\":2", std::string("\"width\":") + value, "width: expected");
  }
  ExpectRefused("\"tanh\"", "3", "activation: expected a string");
  ExpectRefused("0.25", "\"0.25\"", "threshold: expected a number in the range of float");
  ExpectRefused("0.25", "1e39", "threshold: expected a number in the range of float");
  ExpectRefused("\"one\"", "1", "class_names: expected strings");
  ExpectRefused("[\"zéro\",\"one\"]", "{}", "class_names: expected an array");
  ExpectRefused(R"({"height":1,"width":2,"channels":1})", "7", "height: expected");
}

TEST(ArtifactHeader, RefusesMissingMembers) {
  for (const char* name : {"inputs", "layers", "units", "activation", "threshold", "cost",
                           "features", "feature_type", "class_names", "height", "channels"}) {
    const std::string member = std::string("\"") + name + "\":";
    ExpectRefused(member, std::string("\"no_") + name + "\":", std::string(name) + ": expected");
  }
}

TEST(ArtifactHeader, RefusesUnknownNames) {
  ExpectRefused("tanh", "swish", "activation: expected the name of an activation, got \"swish\"");
  ExpectRefused("sigmoid_cross", "hinge_cross",
                "cost: expected sigmoid_cross_entropy or softmax_cross_entropy, got "
                "\"hinge_cross_entropy\"");
  ExpectRefused("uint8", "int4", "feature_type: expected uint8 or float32, got \"int4\"");
}

TEST(ArtifactHeader, RefusesATopologyOrSchemaThatIsNotValid) {
  ExpectRefused("\"units\":3", "\"units\":0", "layers[1]: expected 1 to 1048576 units, got 0");
  ExpectRefused("\"tanh\"", "\"softmax\"", "layers[1]");
  // 2^40 weights in 400 bytes: refused by its count, before anything is allocated.
  ExpectRefused("\"units\":3",
                R"("units":1048576,"activation":"tanh","threshold":0},{"units":1048576)",
                "layers: expected at most 268435456 weights");
  ExpectRefused("\"one\"", "\"zéro\"", "class_names[1]: expected a name of its own");
  ExpectRefused("\"width\":2", "\"width\":3", "image: expected height * width * channels");
}

TEST(ArtifactHeader, RefusesATopologyThatDoesNotFitTheSchema) {
  ExpectRefused("\"inputs\":2", "\"inputs\":3", "inputs: expected 2 (features), got 3");
  ExpectRefused("\"one\"", "\"one\",\"two\"",
                "layers: expected an output layer of 3 units (class_names), got 2");
}

TEST(ArtifactHeader, RefusesDeepNestingWithoutRecursing) {
  const std::string deep = std::string(2'000'000, '[') + std::string(2'000'000, ']');
  EXPECT_EQ(ReadArtifactHeader(deep).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(
      ReadArtifactHeader(absl::StrReplaceAll(
                             kExample, {{"{\"topology\"", "{\"later\":" + deep + ",\"topology\""}}))
          .ok());
}

TEST(ArtifactHeader, RefusesAHugeText) {
  const std::string huge = kExample + std::string(size_t{9} << 20, ' ');
  EXPECT_THAT(std::string(ReadArtifactHeader(huge).status().message()),
              HasSubstr("its length: expected at most 8388608 bytes"));
}

}  // namespace
}  // namespace mlp

// Files that are damaged or made to do harm: refused, without a crash, a hang or memory that the
// file does not have itself.
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/onnx/element_limit.h"
#include "core/onnx/onnx.h"
#include "tests/core/artifact/example_artifact.h"
#include "tests/core/onnx/model_text.h"
#include "tests/core/onnx/random_artifact.h"

namespace mlp {
namespace {

using ::testing::HasSubstr;

// A file with every kind of node that we read.
std::string RichModel() {
  return ModelBytes(ModelText(
      NodeText("Constant", "k", {}, "k",
               "attribute { name: 'value' type: TENSOR t { data_type: 7 dims: 2 "
               "int64_data: [-1, 2] } }") +
      NodeText("Sub", "sub", {"x", "c"}, "s") + NodeText("Div", "div", {"s", "two"}, "d") +
      NodeText("Reshape", "r", {"d", "k"}, "f") + NodeText("MatMul", "fc", {"f", "w"}, "z") +
      NodeText("Add", "a", {"z", "b"}, "z2") + NodeText("Tanh", "t", {"z2"}, "h") +
      NodeText("Dropout", "drop", {"h", "two"}, "h2") +
      NodeText("Gemm", "fc2", {"h2", "v"}, "z3", IntText("transB", 0)) +
      NodeText("Softmax", "soft", {"z3"}, "y", IntText("axis", 1))));
}

// Whatever is taken for a model must be one that can be stored and loaded.
void ReadSafely(const std::string& bytes) {
  const absl::StatusOr<Artifact> artifact = ReadOnnx(bytes);
  if (!artifact.ok()) return;
  const absl::Status loads = ReadArtifact(WriteArtifact(*artifact)).status();
  EXPECT_TRUE(loads.ok()) << loads;
}

TEST(OnnxHostile, EveryTruncationIsRefusedOrAModel) {
  for (const std::string& whole : {WriteOnnx(ExampleArtifact()), RichModel()}) {
    ASSERT_TRUE(ReadOnnx(whole).ok()) << ReadOnnx(whole).status();
    for (size_t size = 0; size < whole.size(); ++size) ReadSafely(whole.substr(0, size));
  }
}

TEST(OnnxHostile, EveryBitFlipIsRefusedOrAModel) {
  for (const std::string& whole : {WriteOnnx(ExampleArtifact()), RichModel()}) {
    for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
      std::string bytes = whole;
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
      ReadSafely(bytes);
    }
  }
}

TEST(OnnxHostile, ManyChangesAtOnceAreRefusedOrAModel) {
  constexpr uint64_t kSeed = 17;
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  std::mt19937_64 random(kSeed);
  const std::string whole = RichModel();
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = whole;
    for (uint64_t change = random() % 8 + 1; change > 0; --change) {
      const size_t at = random() % bytes.size();
      switch (random() % 3) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes.erase(at, random() % 8);
          break;
        default:
          bytes.insert(at, bytes.substr(random() % bytes.size(), random() % 32));
      }
    }
    ReadSafely(bytes);
  }
}

TEST(OnnxHostile, BytesThatAreNoModelAreRefused) {
  for (const std::string& bytes :
       {std::string(), std::string("\x89MLPD\r\n\x1A"), std::string("{}"),
        std::string(1000, '\xFF'), std::string(1000, '\0')}) {
    const absl::Status status = ReadOnnx(bytes).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("onnx: expected an ONNX model"));
  }
}

TEST(OnnxHostile, AGraphThatRunsInACircleIsRefused) {
  const std::string circles[] = {
      NodeText("Gemm", "a", {"q", "w"}, "p") + NodeText("Gemm", "b", {"p", "v"}, "q"),
      NodeText("Gemm", "a", {"a", "w"}, "a")};
  for (const std::string& circle : circles) {
    const absl::Status status = ReadOnnx(ModelBytes(ModelText(circle))).status();
    EXPECT_THAT(std::string(status.message()), HasSubstr("node a (Gemm): input ")) << status;
  }
}

// The bytes of a message field of that number.
std::string Field(int number, const std::string& content) {
  std::string bytes(1, static_cast<char>(number << 3 | 2));
  for (size_t rest = content.size();; rest >>= 7) {
    bytes += static_cast<char>((rest & 0x7F) | (rest > 0x7F ? 0x80 : 0));
    if (rest <= 0x7F) break;
  }
  return bytes + content;
}

std::string Repeated(const std::string& text, int times) {
  std::string bytes;
  for (int i = 0; i < times; ++i) bytes += text;
  return bytes;
}

// Two bytes a node, some 200 in memory.
TEST(OnnxHostile, MoreMessagesThanAnyNetworkHasAreRefused) {
  constexpr int kGraph = 7;
  const std::string empty_nodes = Repeated(Field(1, ""), kMaxElements);
  const std::string shape = Field(5, Field(7, std::string(kMaxElements, '\1')));  // int64_data
  const std::string unknown = Repeated(Field(15, ""), kMaxElements);
  for (const std::string& content : {empty_nodes, shape, unknown}) {
    const absl::Status status = ReadOnnx(Field(kGraph, content)).status();
    EXPECT_THAT(std::string(status.message()), HasSubstr("expected at most 65536 messages"))
        << status;
  }
}

TEST(OnnxHostile, GraphsWithinGraphsAreRefused) {
  std::string graph;
  for (int depth = 0; depth < 1000; ++depth) {
    graph = Field(1, Field(5, Field(6, graph)));  // node, attribute, g
  }
  EXPECT_EQ(ReadOnnx(Field(7, graph)).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(OnnxHostile, ManyStepsOfScalingAreRefused) {
  std::string nodes;
  for (int i = 0; i < 9; ++i) {
    nodes += NodeText("Mul", "m" + std::to_string(i),
                      {i == 0 ? "x" : "m" + std::to_string(i - 1), "two"}, "m" + std::to_string(i));
  }
  const absl::Status status = ReadOnnx(ModelBytes(ModelText(nodes))).status();
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("node m8 (Mul): expected at most 8 steps of scaling"));
}

TEST(OnnxHostile, NamesAreShortenedAndPrintable) {
  const std::string name(1'000'000, '\xFE');
  onnx::ModelProto model;
  ASSERT_TRUE(model.ParseFromString(ModelBytes(ModelText(NodeText("Conv", "n", {"x"}, "y")))));
  model.mutable_graph()->mutable_node(0)->set_name(name);
  const absl::Status status = ReadOnnx(model.SerializeAsString()).status();
  EXPECT_LT(status.message().size(), 1000u);
  EXPECT_THAT(std::string(status.message()), HasSubstr("node \\xfe\\xfe"));
}

}  // namespace
}  // namespace mlp

// Files as other exporters write them, with the outputs that another program computed of them:
// golden/make_golden.py.
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/onnx/onnx.h"
#include "tests/core/onnx/random_artifact.h"

namespace mlp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string GoldenBytes(const std::string& name) {
  const std::ifstream file(std::string(MLPD_SOURCE_DIR "/tests/core/onnx/golden/") + name,
                           std::ios::binary);
  EXPECT_TRUE(file) << name;
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

Artifact ReadGolden(const std::string& name) {
  absl::StatusOr<Artifact> artifact = ReadOnnx(GoldenBytes(name));
  if (!artifact.ok()) {
    ADD_FAILURE() << name << ": " << artifact.status();
    return {};
  }
  return *std::move(artifact);
}

void ExpectGoldenOutputs(const std::string& name, const Artifact& artifact) {
  const nlohmann::json golden = nlohmann::json::parse(GoldenBytes("expected.json")).at(name);
  std::vector<float> rows;
  std::vector<float> expected;
  for (const auto& row : golden.at("inputs")) {
    for (const auto& value : row) rows.push_back(value.get<float>());
  }
  for (const auto& row : golden.at("outputs")) {
    for (const auto& value : row) expected.push_back(value.get<float>());
  }
  const std::vector<float> outputs = Outputs(artifact, rows);
  ASSERT_EQ(outputs.size(), expected.size());
  for (size_t i = 0; i < outputs.size(); ++i) EXPECT_NEAR(outputs[i], expected[i], 1e-6) << i;
}

TEST(OnnxGolden, ReadsWhatPyTorchExports) {
  const Artifact artifact = ReadGolden("pytorch.onnx");
  EXPECT_EQ(artifact.network.topology,
            (Topology{6, {{4, Activation::kRelu}, {3, Activation::kSigmoid}}}));
  EXPECT_EQ(artifact.cost, CostKind::kSigmoidCrossEntropy);
  EXPECT_EQ(artifact.schema.feature_type, FeatureType::kFloat32);
  EXPECT_EQ(artifact.schema.image, (ImageShape{3, 2, 1}));
  EXPECT_THAT(artifact.schema.class_names, ElementsAre("0", "1", "2"));
  EXPECT_EQ(artifact.provenance_json, "{}");
  ExpectGoldenOutputs("pytorch.onnx", artifact);
}

TEST(OnnxGolden, ReadsNormalizationConstantsDropoutAndFactorsOfPyTorch) {
  const Artifact artifact = ReadGolden("pytorch_normalized.onnx");
  EXPECT_EQ(artifact.network.topology,
            (Topology{4, {{3, Activation::kTanh}, {2, Activation::kIdentity}}}));
  EXPECT_EQ(artifact.cost, CostKind::kSoftmaxCrossEntropy);
  EXPECT_EQ(artifact.schema.image, (ImageShape{2, 2, 1}));
  EXPECT_THAT(artifact.scaler.offsets(), ElementsAre(0.13f, 0.13f, 0.13f, 0.13f));
  ExpectGoldenOutputs("pytorch_normalized.onnx", artifact);
}

TEST(OnnxGolden, ReadsTheProbabilitiesOfScikitLearn) {
  const Artifact artifact = ReadGolden("sklearn.onnx");
  EXPECT_EQ(artifact.network.topology,
            (Topology{3, {{4, Activation::kTanh}, {3, Activation::kSoftmax}}}));
  EXPECT_EQ(artifact.cost, CostKind::kSoftmaxCrossEntropy);
  EXPECT_FALSE(artifact.schema.image.has_value());
  EXPECT_THAT(artifact.scaler.offsets(), ElementsAre(1.0f, 2.0f, -3.0f));
  EXPECT_THAT(artifact.scaler.scales(), ElementsAre(0.5f, 0.25f, 2.0f));
  ExpectGoldenOutputs("sklearn.onnx", artifact);
}

TEST(OnnxGolden, RefusesTheLabelsOfScikitLearnByNodeName) {
  const absl::Status status = ReadOnnx(GoldenBytes("sklearn_whole.onnx")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("node ArgMax (ArgMax): "));
}

TEST(OnnxGolden, ReadsBytesAndScalingOfTensorFlow) {
  const Artifact artifact = ReadGolden("tensorflow.onnx");
  EXPECT_EQ(artifact.network.topology,
            (Topology{4, {{5, Activation::kRelu}, {3, Activation::kSoftmax}}}));
  EXPECT_EQ(artifact.schema.feature_type, FeatureType::kUint8);
  EXPECT_EQ(artifact.schema.image, (ImageShape{2, 2, 1}));
  EXPECT_NEAR(artifact.scaler.offsets()[0], 127.5f, 1e-4);
  ExpectGoldenOutputs("tensorflow.onnx", artifact);
}

}  // namespace
}  // namespace mlp

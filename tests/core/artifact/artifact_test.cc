#include "core/artifact/artifact.h"

#include <cstdint>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/random.h"
#include "tests/core/artifact/example_artifact.h"

namespace mlp {
namespace {

void ExpectSame(const Artifact& a, const Artifact& b) {
  EXPECT_EQ(a.network.topology, b.network.topology);
  EXPECT_EQ(a.network.parameters, b.network.parameters);
  EXPECT_EQ(a.scaler.offsets(), b.scaler.offsets());
  EXPECT_EQ(a.scaler.scales(), b.scaler.scales());
  EXPECT_EQ(a.schema.features, b.schema.features);
  EXPECT_EQ(a.schema.feature_type, b.schema.feature_type);
  EXPECT_EQ(a.schema.class_names, b.schema.class_names);
  EXPECT_EQ(a.schema.image, b.schema.image);
  EXPECT_EQ(a.cost, b.cost);
  EXPECT_EQ(a.provenance_json, b.provenance_json);
}

std::string GoldenFile() {
  std::ifstream file(MLPD_SOURCE_DIR "/tests/core/artifact/golden/v1.mlp", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// The file was written by golden/make_v1.py. If this fails, models of the field no longer open.
TEST(Artifact, OpensTheGoldenFileOfVersionOne) {
  const std::string bytes = GoldenFile();
  ASSERT_FALSE(bytes.empty());
  const absl::StatusOr<Artifact> artifact = ReadArtifact(bytes);
  ASSERT_TRUE(artifact.ok()) << artifact.status();
  ExpectSame(*artifact, ExampleArtifact());
}

TEST(Artifact, WritesTheGoldenFileOfVersionOne) {
  EXPECT_EQ(WriteArtifact(ExampleArtifact()), GoldenFile());
}

TEST(Artifact, ComesBackAsItWasWritten) {
  Random random(1, 99);
  Artifact artifact;
  artifact.network.topology = {.inputs = 400,
                               .layers = {{.units = 25, .activation = Activation::kSigmoid},
                                          {.units = 10, .activation = Activation::kSoftmax}}};
  artifact.network.parameters.resize(10'285);
  for (float& value : artifact.network.parameters) value = static_cast<float>(random.Normal());
  std::vector<float> offsets;
  std::vector<float> scales;
  for (int j = 0; j < 400; ++j) {
    offsets.push_back(static_cast<float>(random.Normal()));
    scales.push_back(static_cast<float>(random.Uniform(0.5, 2.0)));
  }
  artifact.scaler = *FeatureScaler::Create(offsets, scales);
  artifact.schema.features = 400;
  artifact.schema.feature_type = FeatureType::kFloat32;
  for (int k = 0; k < 10; ++k) artifact.schema.class_names.push_back(std::to_string(k));
  artifact.cost = CostKind::kSoftmaxCrossEntropy;

  const std::string bytes = WriteArtifact(artifact);
  EXPECT_LT(bytes.size(), 10'285u * 4 + 800 * 4 + 2048);
  const absl::StatusOr<Artifact> read = ReadArtifact(bytes);
  ASSERT_TRUE(read.ok()) << read.status();
  ExpectSame(*read, artifact);
  EXPECT_EQ(WriteArtifact(*read), bytes);
}

TEST(Artifact, KeepsEveryActivationAndThreshold) {
  Artifact artifact = ExampleArtifact();
  for (const Activation activation :
       {Activation::kStep, Activation::kSigmoid, Activation::kTanh, Activation::kRelu,
        Activation::kIdentity, Activation::kSoftmax}) {
    for (const float threshold : {0.1f, -1e-45f, 3.4e38f}) {
      artifact.network.topology.layers[1] = {2, activation, threshold};
      const absl::StatusOr<Artifact> read = ReadArtifact(WriteArtifact(artifact));
      ASSERT_TRUE(read.ok()) << read.status();
      ExpectSame(*read, artifact);
    }
  }
}

TEST(Artifact, KeepsExtremeButFiniteWeights) {
  using Limits = std::numeric_limits<float>;
  Artifact artifact = ExampleArtifact();
  artifact.network.parameters.head(4) << Limits::max(), Limits::lowest(), Limits::denorm_min(),
      -0.0f;
  const absl::StatusOr<Artifact> read = ReadArtifact(WriteArtifact(artifact));
  ASSERT_TRUE(read.ok()) << read.status();
  ExpectSame(*read, artifact);
  EXPECT_TRUE(std::signbit(read->network.parameters[3]));
}

TEST(Artifact, KeepsAwkwardClassNames) {
  Artifact artifact = ExampleArtifact();
  artifact.schema.class_names = {"\"\\\n\x01", std::string("a\0b", 3)};
  const absl::StatusOr<Artifact> read = ReadArtifact(WriteArtifact(artifact));
  ASSERT_TRUE(read.ok()) << read.status();
  ExpectSame(*read, artifact);
}

TEST(Artifact, CarriesProvenanceWordForWord) {
  Artifact artifact = ExampleArtifact();
  artifact.provenance_json = "{ \"b\" : 1.50, \"a\": [ {} ,null],\n\"b\":2 }";
  const absl::StatusOr<Artifact> read = ReadArtifact(WriteArtifact(artifact));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->provenance_json, artifact.provenance_json);
}

TEST(Artifact, ReadsBytesAtAnyAddress) {
  const std::string bytes = "x" + GoldenFile();
  EXPECT_TRUE(ReadArtifact(absl::string_view(bytes).substr(1)).ok());
}

}  // namespace
}  // namespace mlp

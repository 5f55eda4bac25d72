// Export and import again: the same artifact, to the bit.
#include <cstring>
#include <random>
#include <string>

#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include "core/onnx/onnx.h"
#include "tests/core/artifact/example_artifact.h"
#include "tests/core/onnx/random_artifact.h"

namespace mlp {
namespace {

// The artifact's own file has all of it, so that equal bytes are equal artifacts.
void ExpectRoundTrip(const Artifact& artifact) {
  const absl::StatusOr<Artifact> read = ReadOnnx(WriteOnnx(artifact));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(WriteArtifact(*read) == WriteArtifact(artifact));
}

TEST(OnnxRoundTrip, KeepsTheWholeArtifact) {
  Artifact artifact = ExampleArtifact();
  ExpectRoundTrip(artifact);
  artifact.network.topology.layers[0].threshold = 3.0f;  // of no use to tanh, and kept
  ExpectRoundTrip(artifact);
}

TEST(OnnxRoundTrip, KeepsEveryActivation) {
  std::mt19937_64 random(3);
  for (const Activation hidden : {Activation::kStep, Activation::kSigmoid, Activation::kTanh,
                                  Activation::kRelu, Activation::kIdentity}) {
    for (const Activation output :
         {Activation::kStep, Activation::kSigmoid, Activation::kTanh, Activation::kRelu,
          Activation::kIdentity, Activation::kSoftmax}) {
      SCOPED_TRACE(testing::Message() << ActivationName(hidden) << " " << ActivationName(output));
      ExpectRoundTrip(
          RandomArtifact({.inputs = 3,
                          .layers = {{.units = 4, .activation = hidden, .threshold = -0.5f},
                                     {.units = 2, .activation = hidden},
                                     {.units = 5, .activation = output}}},
                         random));
    }
  }
}

TEST(OnnxRoundTrip, KeepsTheSignOfZeroInScalingAndWeights) {
  std::mt19937_64 random(5);
  Artifact artifact = RandomArtifact({.inputs = 2, .layers = {{2, Activation::kSigmoid}}}, random);
  artifact.network.parameters << -0.0f, 0.0f, -0.0f, 1.0f, -0.0f, 0.0f;
  for (const float offset : {0.0f, -0.0f}) {
    for (const float scale : {1.0f, 0.1f}) {
      artifact.scaler = *FeatureScaler::Create({offset, 0.0f}, {scale, 1.0f});
      ExpectRoundTrip(artifact);
    }
  }
}

TEST(OnnxRoundTrip, KeepsTheLargestAndSmallestNumbers) {
  std::mt19937_64 random(5);
  Artifact artifact = RandomArtifact({.inputs = 2, .layers = {{2, Activation::kSigmoid}}}, random);
  artifact.network.parameters << 3.4e38f, -3.4e38f, 1e-45f, -1e-45f, 1e-38f, 0.1f;
  artifact.scaler = *FeatureScaler::Create({3.4e38f, 1e-45f}, {1e-45f, 3.4e38f});
  ExpectRoundTrip(artifact);
}

TEST(OnnxRoundTrip, KeepsAWideNetworkWithManyClasses) {
  std::mt19937_64 random(9);
  ExpectRoundTrip(RandomArtifact(
      {.inputs = 50, .layers = {{64, Activation::kRelu}, {10'000, Activation::kSoftmax}}}, random));
}

// What a program in between may do to a file: the network stays, what only mlpd knows is gone.
TEST(OnnxRoundTrip, WithoutMetadataTheNetworkIsTheSame) {
  const Artifact artifact = ExampleArtifact();
  onnx::ModelProto model;
  ASSERT_TRUE(model.ParseFromString(WriteOnnx(artifact)));
  model.clear_metadata_props();
  const absl::StatusOr<Artifact> read = ReadOnnx(model.SerializeAsString());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->network.topology, artifact.network.topology);
  EXPECT_EQ(read->network.parameters, artifact.network.parameters);
  EXPECT_EQ(read->scaler.scales(), artifact.scaler.scales());
  EXPECT_EQ(read->schema.class_names, (std::vector<std::string>{"0", "1"}));
  EXPECT_EQ(read->schema.feature_type, FeatureType::kFloat32);
  EXPECT_EQ(read->provenance_json, "{}");
}

TEST(OnnxRoundTrip, TheSameArtifactGivesTheSameBytes) {
  EXPECT_EQ(WriteOnnx(ExampleArtifact()), WriteOnnx(ExampleArtifact()));
}

}  // namespace
}  // namespace mlp

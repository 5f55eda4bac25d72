// What we export, run by a program that is not ours: OpenCV's dnn module, which reads ONNX by a
// schema and kernels of its own.
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <opencv2/dnn.hpp>

#include "core/onnx/onnx.h"
#include "tests/core/onnx/random_artifact.h"

namespace mlp {
namespace {

constexpr int kRows = 37;
constexpr float kTolerance = 1e-6f;

std::vector<float> OutputsOfOpenCv(const std::string& model, std::vector<float> rows,
                                   int features) {
  cv::dnn::Net net = cv::dnn::readNetFromONNX(model.data(), model.size());
  const int count = static_cast<int>(rows.size()) / features;
  net.setInput(cv::Mat(count, features, CV_32F, rows.data()), "input");
  const cv::Mat outputs = net.forward("output");
  EXPECT_TRUE(outputs.isContinuous());
  EXPECT_EQ(outputs.rows, count);
  return {outputs.ptr<float>(), outputs.ptr<float>() + outputs.total()};
}

void ExpectSameOutputs(const Artifact& artifact, const std::vector<float>& rows) {
  const std::vector<float> ours = Outputs(artifact, rows);
  const std::vector<float> theirs =
      OutputsOfOpenCv(WriteOnnx(artifact), rows, artifact.network.topology.inputs);
  ASSERT_EQ(theirs.size(), ours.size());
  for (size_t i = 0; i < ours.size(); ++i) EXPECT_NEAR(theirs[i], ours[i], kTolerance) << i;
}

// 13 features, hidden layers of that activation, 5 classes.
Topology LayersOf(int layers, Activation hidden, Activation output) {
  Topology topology{.inputs = 13, .layers = {}};
  for (int l = 1; l < layers; ++l)
    topology.layers.push_back({.units = 6 + l, .activation = hidden});
  topology.layers.push_back({.units = 5, .activation = output});
  return topology;
}

void ExpectSameForEveryDepth(Activation hidden, Activation output) {
  for (int layers = 1; layers <= 4; ++layers) {
    SCOPED_TRACE(testing::Message() << layers << " layers, seed " << layers);
    std::mt19937_64 random(static_cast<uint64_t>(layers));
    const Artifact artifact = RandomArtifact(LayersOf(layers, hidden, output), random);
    ExpectSameOutputs(artifact, UniformValues(kRows * 13, -1.0f, 1.0f, random));
  }
}

TEST(OtherRuntime, SigmoidLayers) {
  ExpectSameForEveryDepth(Activation::kSigmoid, Activation::kSigmoid);
}

TEST(OtherRuntime, TanhLayers) { ExpectSameForEveryDepth(Activation::kTanh, Activation::kSigmoid); }

TEST(OtherRuntime, ReluLayersAndSoftmax) {
  ExpectSameForEveryDepth(Activation::kRelu, Activation::kSoftmax);
}

TEST(OtherRuntime, IdentityLayers) {
  ExpectSameForEveryDepth(Activation::kIdentity, Activation::kIdentity);
}

TEST(OtherRuntime, ScalingIsPartOfTheModel) {
  std::mt19937_64 random(7);
  Artifact artifact = RandomArtifact(LayersOf(2, Activation::kTanh, Activation::kSoftmax), random);
  const std::vector<float> offsets = UniformValues(13, 0.0f, 255.0f, random);
  const std::vector<float> scales = UniformValues(13, 0.001f, 0.02f, random);
  const std::vector<float> rows = UniformValues(kRows * 13, 0.0f, 255.0f, random);
  const std::vector<float> none(13, 0.0f);
  const std::vector<float> ones(13, 1.0f);

  artifact.scaler = *FeatureScaler::Create(offsets, scales);
  ExpectSameOutputs(artifact, rows);
  artifact.scaler = *FeatureScaler::Create(none, scales);
  ExpectSameOutputs(artifact, rows);
  artifact.scaler = *FeatureScaler::Create(offsets, ones);
  ExpectSameOutputs(artifact, rows);
}

TEST(OtherRuntime, OneFeatureAndOneRow) {
  std::mt19937_64 random(11);
  Artifact artifact = RandomArtifact(
      {.inputs = 1, .layers = {{1, Activation::kTanh}, {2, Activation::kSoftmax}}}, random);
  artifact.scaler = *FeatureScaler::Create({3.0f}, {0.5f});
  ExpectSameOutputs(artifact, {4.5f});
  ExpectSameOutputs(artifact, {4.5f, -1.0f, 0.25f});
}

TEST(OtherRuntime, ALayerAsWideAsMnist) {
  std::mt19937_64 random(13);
  const Artifact artifact = RandomArtifact(
      {.inputs = 784, .layers = {{300, Activation::kRelu}, {10, Activation::kSoftmax}}}, random);
  ExpectSameOutputs(artifact, UniformValues(kRows * 784, 0.0f, 1.0f, random));
}

}  // namespace
}  // namespace mlp

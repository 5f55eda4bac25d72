// A small artifact, the same as in golden/v1.mlp.
#pragma once

#include <vector>

#include "core/artifact/artifact.h"

namespace mlp {

inline Artifact ExampleArtifact() {
  Artifact artifact;
  artifact.network.topology = {
      .inputs = 2,
      .layers = {{.units = 3, .activation = Activation::kTanh},
                 {.units = 2, .activation = Activation::kStep, .threshold = 0.25f}}};
  const std::vector<float> parameters = {
      0.5f, -0.25f, 1.5f, 2.0f,  -3.0f, 0.125f,  0.0625f, -1.0f,    4.0f,  // layer 1
      1.0f, -2.0f,  3.0f, -0.5f, 0.75f, -0.875f, 10.0f,   -0.03125f};      // layer 2
  artifact.network.parameters =
      ConstVectorMap<float>(parameters.data(), static_cast<Eigen::Index>(parameters.size()));
  artifact.scaler = *FeatureScaler::Create({0.0f, 16.0f}, {0.00390625f, 0.5f});
  artifact.schema.features = 2;
  artifact.schema.feature_type = FeatureType::kUint8;
  artifact.schema.class_names = {"z\xC3\xA9ro", "one"};
  artifact.schema.image = ImageShape{1, 2, 1};
  artifact.cost = CostKind::kSigmoidCrossEntropy;
  artifact.provenance_json = R"({"dataset":"example","seed":7})";
  return artifact;
}

}  // namespace mlp

// Networks with random weights, for comparing one way to compute them with another.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "core/artifact/artifact.h"
#include "core/nn/forward_propagation.h"

namespace mlp {

inline std::vector<float> UniformValues(size_t count, float low, float high,
                                        std::mt19937_64& random) {
  std::uniform_real_distribution<float> uniform(low, high);
  std::vector<float> values(count);
  for (float& value : values) value = uniform(random);
  return values;
}

// Weights small enough that no unit saturates. Scaling is the identity, classes are named c0, c1...
inline Artifact RandomArtifact(const Topology& topology, std::mt19937_64& random) {
  Artifact artifact;
  artifact.network.topology = topology;
  artifact.network.parameters.resize(ParameterCount(topology));
  const ParameterLayout layout(topology);
  for (const ParameterLayout::Layer& layer : layout.layers) {
    const float range = 1.0f / std::sqrt(static_cast<float>(layer.inputs));
    const auto count = static_cast<size_t>((int64_t{layer.inputs} + 1) * layer.outputs);
    const std::vector<float> values = UniformValues(count, -range, range, random);
    std::copy(values.begin(), values.end(), artifact.network.parameters.data() + layer.weights);
  }
  artifact.scaler = FeatureScaler::Identity(topology.inputs);
  artifact.schema.features = topology.inputs;
  for (int k = 0; k < topology.outputs(); ++k) {
    artifact.schema.class_names.push_back("c" + std::to_string(k));
  }
  if (topology.layers.back().activation == Activation::kSoftmax) {
    artifact.cost = CostKind::kSoftmaxCrossEntropy;
  }
  return artifact;
}

// What prediction computes of `rows` [N x D] row-major: [N x K].
inline std::vector<float> Outputs(const Artifact& artifact, const std::vector<float>& rows) {
  const Topology& topology = artifact.network.topology;
  const size_t count = rows.size() / static_cast<size_t>(topology.inputs);
  std::vector<float> scaled(rows.size());
  artifact.scaler.Apply(absl::MakeConstSpan(rows), scaled.data());
  std::vector<float> outputs(count * static_cast<size_t>(topology.outputs()));
  PropagationScratch scratch;
  ForwardPropagation(topology, artifact.network.parameters.data())
      .Run(scaled.data(), static_cast<int64_t>(count), outputs.data(), scratch);
  return outputs;
}

}  // namespace mlp

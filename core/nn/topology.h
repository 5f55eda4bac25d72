// The shape of a network: inputs, then fully connected layers with bias units.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/strings/string_view.h>

namespace mlp {

enum class Activation { kStep, kSigmoid, kTanh, kRelu, kIdentity, kSoftmax };

// "step", "sigmoid", ...; the names of the command line and of the artifact.
absl::string_view ActivationName(Activation activation);
// False where no activation has that name.
bool ParseActivation(absl::string_view name, Activation* activation);

struct LayerSpec {
  int units = 0;
  Activation activation = Activation::kSigmoid;
  // Step activation only: 1 where z >= threshold, else 0.
  float threshold = 0.0f;

  bool operator==(const LayerSpec&) const = default;
};

struct Topology {
  int inputs = 0;                 // D
  std::vector<LayerSpec> layers;  // hidden layers, then the output layer

  int outputs() const { return layers.back().units; }  // K
  bool operator==(const Topology&) const = default;
};

inline constexpr int kMaxLayers = 64;
inline constexpr int kMaxUnits = 1 << 20;
inline constexpr int64_t kMaxParameters = int64_t{1} << 28;

// Weights and biases: sum over layers of (in + 1) * out. [400, 25, 10] has 401*25 + 26*10 = 10,285.
int64_t ParameterCount(const Topology& topology);

// INVALID_ARGUMENT naming the layer: no layers or over kMaxLayers, units or inputs outside
// [1, kMaxUnits], softmax anywhere but last, a threshold that is not finite. RESOURCE_EXHAUSTED:
// over kMaxParameters.
absl::Status ValidateTopology(const Topology& topology);

// "400-25-10".
std::string TopologyName(const Topology& topology);

}  // namespace mlp

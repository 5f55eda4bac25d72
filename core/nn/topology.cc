#include "core/nn/topology.h"

#include <array>
#include <cmath>
#include <cstddef>

#include <absl/strings/str_cat.h>

namespace mlp {
namespace {

// In the order of enum Activation.
constexpr std::array<absl::string_view, 6> kActivationNames = {"step", "sigmoid",  "tanh",
                                                               "relu", "identity", "softmax"};

bool UnitsInRange(int units) { return units >= 1 && units <= kMaxUnits; }

absl::Status UnitsError(size_t index, int units) {
  return absl::InvalidArgumentError(
      absl::StrCat("layers[", index, "]: expected 1 to ", kMaxUnits, " units, got ", units));
}

}  // namespace

absl::string_view ActivationName(Activation activation) {
  return kActivationNames[static_cast<size_t>(activation)];
}

bool ParseActivation(absl::string_view name, Activation* activation) {
  for (size_t i = 0; i < kActivationNames.size(); ++i) {
    if (kActivationNames[i] == name) {
      *activation = static_cast<Activation>(i);
      return true;
    }
  }
  return false;
}

int64_t ParameterCount(const Topology& topology) {
  int64_t count = 0;
  int64_t inputs = topology.inputs;
  for (const LayerSpec& layer : topology.layers) {
    count += (inputs + 1) * layer.units;
    inputs = layer.units;
  }
  return count;
}

absl::Status ValidateTopology(const Topology& topology) {
  if (topology.layers.empty() || topology.layers.size() > kMaxLayers) {
    return absl::InvalidArgumentError(absl::StrCat("layers: expected the inputs and 1 to ",
                                                   kMaxLayers, " layers, got ",
                                                   topology.layers.size(), " layers"));
  }
  if (!UnitsInRange(topology.inputs)) return UnitsError(0, topology.inputs);
  for (size_t l = 0; l < topology.layers.size(); ++l) {
    const LayerSpec& layer = topology.layers[l];
    if (!UnitsInRange(layer.units)) return UnitsError(l + 1, layer.units);
    if (layer.activation == Activation::kSoftmax && l + 1 < topology.layers.size()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "layers[", l + 1, "]: expected softmax on the output layer alone, got it on ",
          "a hidden layer"));
    }
    if (!std::isfinite(layer.threshold)) {
      return absl::InvalidArgumentError(
          absl::StrCat("layers[", l + 1, "]: expected a finite threshold, got ", layer.threshold));
    }
  }
  // Cannot overflow: 64 layers of at most (2^20 + 1) * 2^20 weights.
  const int64_t parameters = ParameterCount(topology);
  if (parameters > kMaxParameters) {
    return absl::ResourceExhaustedError(
        absl::StrCat("layers: expected at most ", kMaxParameters, " weights, got ", parameters));
  }
  return absl::OkStatus();
}

std::string TopologyName(const Topology& topology) {
  std::string name = absl::StrCat(topology.inputs);
  for (const LayerSpec& layer : topology.layers) absl::StrAppend(&name, "-", layer.units);
  return name;
}

}  // namespace mlp

#include "core/nn/network.h"

namespace mlp {

ParameterLayout::ParameterLayout(const Topology& topology) {
  layers.reserve(topology.layers.size());
  int inputs = topology.inputs;
  for (const LayerSpec& spec : topology.layers) {
    Layer layer = {.inputs = inputs, .outputs = spec.units, .weights = size, .biases = 0};
    layer.biases = layer.weights + int64_t{layer.inputs} * layer.outputs;
    size = layer.biases + layer.outputs;
    layers.push_back(layer);
    inputs = spec.units;
  }
}

}  // namespace mlp

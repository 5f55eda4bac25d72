#include "core/train/non_finite_layer.h"

#include <algorithm>

#include <absl/strings/str_cat.h>

#include "core/nn/network.h"
#include "core/nn/propagation.h"

namespace mlp {
namespace {

// Rows that are propagated at a time.
constexpr Eigen::Index kRowsPerBlock = 256;

// Whether the weighted sums of the last layer of `topology` are finite.
bool SumsAreFinite(const Topology& topology, const VectorF& theta,
                   const ConstMatrixMap<float>& inputs) {
  Propagation<float> propagation(topology,
                                 static_cast<int>(std::min(kRowsPerBlock, inputs.rows())));
  for (Eigen::Index begin = 0; begin < inputs.rows(); begin += kRowsPerBlock) {
    const auto rows = static_cast<int>(std::min(kRowsPerBlock, inputs.rows() - begin));
    propagation.Forward(theta.data(), inputs.row(begin).data(), rows);
    if (!propagation.logits().allFinite()) return false;
  }
  return true;
}

}  // namespace

std::string NonFiniteLayer(const Topology& topology, const VectorF& theta,
                           const ConstMatrixMap<float>& inputs) {
  const ParameterLayout layout(topology);
  // The network up to layer l has the beginning of the same Theta for its parameters.
  Topology lower = {.inputs = topology.inputs, .layers = {}};
  for (size_t l = 0; l < topology.layers.size(); ++l) {
    lower.layers.push_back(topology.layers[l]);
    const ParameterLayout::Layer& layer = layout.layers[l];
    const int64_t count = layer.biases + layer.outputs - layer.weights;
    if (!theta.segment(layer.weights, count).allFinite()) {
      return absl::StrCat("the weights of layer ", l + 1, " are not finite");
    }
    if (!SumsAreFinite(lower, theta, inputs)) {
      return absl::StrCat("the weighted sums of layer ", l + 1, " are not finite");
    }
  }
  return "";
}

}  // namespace mlp

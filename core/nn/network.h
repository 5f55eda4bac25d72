// A network: topology and weights. Training makes one, artifacts store it, prediction reads it.
#pragma once

#include <cstdint>
#include <vector>

#include <absl/status/statusor.h>

#include "core/base/matrix.h"
#include "core/nn/topology.h"

namespace mlp {

// Where each layer's weights lie in the flat parameter vector Theta: for l = 0, 1, ... first W_l
// [out x in] row-major, then b_l [out].
struct ParameterLayout {
  struct Layer {
    int inputs;
    int outputs;
    int64_t weights;  // offset of W_l
    int64_t biases;   // offset of b_l
  };
  explicit ParameterLayout(const Topology& topology);

  std::vector<Layer> layers;
  int64_t size = 0;
};

// Thread-safe once it is const.
template <typename Scalar>
struct Network {
  Topology topology;
  Vector<Scalar> parameters;  // Theta, laid out as ParameterLayout says
};

using NetworkF = Network<float>;

}  // namespace mlp

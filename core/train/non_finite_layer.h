// Where a network broke down: for the message of a training that diverged.
#pragma once

#include <string>

#include "core/base/matrix.h"
#include "core/nn/topology.h"

namespace mlp {

// The first layer, counted from 1, whose weights or weighted sums over `inputs` [rows x D] are not
// finite with parameters `theta`, as a sentence: `the weighted sums of layer 2 are not finite`.
// Empty where all are finite. Takes its time: once a training.
std::string NonFiniteLayer(const Topology& topology, const VectorF& theta,
                           const ConstMatrixMap<float>& inputs);

}  // namespace mlp

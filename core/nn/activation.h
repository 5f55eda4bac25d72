// The functions that units apply to their weighted sum z, a block of rows at a time.
#pragma once

#include "core/base/matrix.h"
#include "core/nn/topology.h"

namespace mlp {

// Replaces each z of `block` [N x units] by the layer's activation of it:
//   step      1 where z >= threshold, else 0
//   sigmoid   1 / (1 + exp(-z)), which saturates to 0 and 1 where exp overflows
//   tanh, relu max(0, z), identity
//   softmax   exp(z_k) / sum_j exp(z_j) over each row, computed from z - max_j z_j
// A NaN stays NaN, but under step. Thread-safe.
template <typename Scalar>
void Activate(const LayerSpec& layer, MatrixMap<Scalar> block);

// True for the activations that backpropagation can pass through: sigmoid, tanh, relu, identity.
bool HasDerivative(Activation activation);

// delta [N x units] *= dActivation/dz, where `values` [N x units] are the activations themselves:
// sigmoid h (1 - h), tanh 1 - h^2, relu 1 where h > 0 else 0 (so 0 at z = 0), identity 1.
// Requires HasDerivative(activation). Thread-safe.
template <typename Scalar>
void MultiplyByDerivative(Activation activation, const ConstMatrixMap<Scalar>& values,
                          MatrixMap<Scalar> delta);

}  // namespace mlp

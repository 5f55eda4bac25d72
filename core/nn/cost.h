// The cost J that training minimizes, computed from logits (the output layer before its activation)
// so that it is finite for every finite logit.
//
// sigmoid: J = -1/m sum_i sum_k [y log h + (1-y) log(1-h)] with h = sigmoid(z): the mean over
// examples of K independent cross-entropies; per unit max(z,0) - y z + log(1 + exp(-|z|)).
// softmax: J = -1/m sum_i log h_{i,label}: per example logsumexp(z) - z_label.
// Both: dJ/dz = (h - y) / m (Bishop, "Pattern Recognition and Machine Learning", 5.2).
// The penalty lambda/(2m) sum(Theta^2), biases left out, is added by the objective.
#pragma once

#include <cstdint>

#include <absl/types/span.h>

#include "core/base/matrix.h"
#include "core/nn/topology.h"

namespace mlp {

enum class CostKind { kSigmoidCrossEntropy, kSoftmaxCrossEntropy };

// The activation of the output layer that `cost` is defined for.
Activation OutputActivation(CostKind cost);

// Sum over the N rows of the cross-entropy, each times its weight, in double. logits [N x K],
// labels [N] in [0, K), weights [N] or empty, which means all 1.
template <typename Scalar>
double CrossEntropySum(CostKind cost, const Eigen::Ref<const Matrix<Scalar>>& logits,
                       absl::Span<const int32_t> labels, absl::Span<const float> weights = {});

}  // namespace mlp

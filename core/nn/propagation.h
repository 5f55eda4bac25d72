// Forward propagation and backpropagation of one block of rows, through single-threaded BLAS. The
// same forward code trains, evaluates and predicts. float for work, double for the gradient check.
#pragma once

#include <cstdint>
#include <vector>

#include <absl/types/span.h>

#include "core/base/matrix.h"
#include "core/nn/cost.h"
#include "core/nn/network.h"

namespace mlp {

// The products of the first layer with a block of inputs, for inputs that are kept in some other
// way than as rows of numbers.
template <typename Scalar>
class InputProducts {
 public:
  virtual ~InputProducts() = default;

  // z [rows x units] row-major = biases + inputs * transpose(weights).
  virtual void WeightedSums(Scalar* z) = 0;
  // gradient [units x D] = transpose(delta) * inputs; delta [rows x units].
  virtual void WeightGradient(const Scalar* delta, Scalar* gradient) = 0;
};

// Scratch memory for one block, reused from block to block by one thread. Thread-compatible.
template <typename Scalar>
class Propagation {
 public:
  // Copies `topology`; blocks have at most `max_rows` rows.
  Propagation(const Topology& topology, int max_rows);

  // Propagates `rows` rows of `inputs` [rows x D] row-major through the network with parameters
  // `theta` [layout.size]. Activations and output logits stay in this object until the next call.
  // Requires 1 <= rows <= max_rows.
  void Forward(const Scalar* theta, const Scalar* inputs, int rows);
  void Forward(const Scalar* theta, InputProducts<Scalar>& inputs, int rows);

  // Of the last Forward: the output layer's logits [rows x K], and its activations [rows x K],
  // which are computed here since training does without them.
  ConstMatrixMap<Scalar> logits() const;
  ConstMatrixMap<Scalar> outputs();

  // What the rows of a block should have given.
  struct Targets {
    absl::Span<const int32_t> labels;      // [rows]
    absl::Span<const float> weights = {};  // [rows], how much each row counts; empty: all 1
  };

  // After Forward with the same theta and inputs: returns the weighted sum of the cross-entropy
  // over the block's rows (double) and writes its (not averaged, not regularized) gradient to
  // `gradient` [layout.size], overwriting it. Requires a trainable topology and cost's output
  // activation.
  double Backward(const Scalar* theta, const Scalar* inputs, const Targets& targets, CostKind cost,
                  Scalar* gradient);
  double Backward(const Scalar* theta, InputProducts<Scalar>& inputs, const Targets& targets,
                  CostKind cost, Scalar* gradient);

  // Allocates what Backward needs; otherwise its first call does. Lets a caller take the memory
  // where it can handle its absence.
  void PrepareBackward();

  // Bytes of scratch memory held.
  int64_t bytes() const;

 private:
  Topology topology_;
  ParameterLayout layout_;
  int rows_ = 0;
  int max_rows_;
  std::vector<Matrix<Scalar>> activations_;  // one a layer, [max_rows x units]
  Matrix<Scalar> logits_;                    // [max_rows x K]
  // dJ/dz of a layer and of the one below it, [max_rows x most units]; empty before Backward.
  Matrix<Scalar> delta_;
  Matrix<Scalar> delta_below_;
};

}  // namespace mlp

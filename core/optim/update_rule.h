// What mini-batch optimizers do with a gradient: one step's change of a block of Theta. The matrix
// products that make the gradient are MiniBatchStep's, which calls these block by block while the
// block is in the cache.
#pragma once

#include <cstdint>

#include "core/optim/optimizer.h"

namespace mlp {

// Some rows of a layer's weights, or its biases as one row, with what belongs to them; or some rows
// of the weights transposed, where functions say so. The pointers are to the first row; rows lie
// `stride` apart, those of the gradient `gradient_stride`.
struct ParameterBlock {
  int64_t rows;
  int64_t columns;
  float* theta;
  float* velocity;
  float* mean_square;  // null but for Adam
  int64_t stride;
  float* gradient;
  int64_t gradient_stride;
};

// Gradients of the penalties that are part of J: of l2 / 2 sum(Theta^2) + l1 sum|Theta|, with
// sign(0) = 0. l2 is lambda / m, l1 that of RegularizationOptions / m.
struct PenaltyOptions {
  float l2 = 0.0f;
  float l1 = 0.0f;
};

// Sums of squares of a unit's weights, of inputs 0, 16, 32, ..., of 1, 17, 33, ... and so on: a
// unit has the same in whatever blocks it comes, all but the last of whole vectors.
inline constexpr int64_t kSquareLanes = 16;
double SumOfLanes(const float* lanes, int64_t stride);  // [kSquareLanes], `stride` apart

// gradient += l2 Theta + l1 sign(Theta). Adds the squares of the result to `squares` [block.rows x
// kSquareLanes]; infinite where one is over 3e38.
void AddPenalties(const PenaltyOptions& penalties, const ParameterBlock& block, float* squares);
// The same, to the bit, of weights transposed; `squares` [kSquareLanes x block.columns].
void AddPenaltiesTransposed(const PenaltyOptions& penalties, const ParameterBlock& block,
                            float* squares);

// The constants of one step. Immutable; thread-safe on blocks that do not overlap.
//
// SGD (Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013,
// in the form of PyTorch, where the learning rate is outside the velocity):
//   v = momentum v + g;  Theta -= rate v, with Nesterov rate (g + momentum v)
// Adam (Kingma and Ba, "Adam", 2015, algorithm 1):
//   v = beta1 v + (1 - beta1) g;  s = beta2 s + (1 - beta2) g^2
//   Theta -= rate (v / (1 - beta1^t)) / (sqrt(s / (1 - beta2^t)) + epsilon)
// Weight decay is decoupled (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019):
// Theta also loses rate * weight_decay * Theta, of its value before the step. The schedule is part
// of `rate`.
class UpdateRule {
 public:
  // `step` is t, from 1 up. Requires options.kind to be one OnMiniBatches.
  UpdateRule(const OptimizerOptions& options, double learning_rate, int64_t step);

  // Whether blocks need their mean_square.
  static bool HasMeanSquare(OptimizerKind kind) { return kind != OptimizerKind::kSgd; }

  // Changes Theta, velocity and mean_square by gradient_scale * block.gradient. `decayed`: weights
  // are, biases are not.
  void Apply(const ParameterBlock& block, float gradient_scale, bool decayed) const;

 private:
  const bool is_sgd_;
  const bool nesterov_;
  const float rate_;      // Adam: divided by 1 - beta1^t
  const float decay_;     // rate * weight_decay
  const float momentum_;  // Adam: beta1
  const float beta2_;
  // 1 - beta1 and 1 - beta2, which float would have lost half of.
  const float news1_;
  const float news2_;
  const float root_scale_;  // 1 / sqrt(1 - beta2^t)
  const float epsilon_;
};

// Scales each row of block.theta whose Euclidean norm is over `max_norm` down to it.
void LimitRowNorms(const ParameterBlock& block, float max_norm);
// The same, to the bit, of weights transposed. `scratch` [kSquareLanes x block.columns].
void LimitColumnNorms(const ParameterBlock& block, float max_norm, float* scratch);

}  // namespace mlp

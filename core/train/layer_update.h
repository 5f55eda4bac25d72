// What a step of mini-batch training does to the parameters of a layer's units, block by block as
// their gradient is computed: penalties, the update rule, the limit of the weights' norms. Whoever
// computes the gradient calls it, tile by tile.
#pragma once

#include <cstdint>

#include <absl/functional/function_ref.h>

#include "core/nn/network.h"
#include "core/nn/panels.h"
#include "core/optim/update_rule.h"

namespace mlp {

// What the update of all layers has in common.
struct UpdatePlan {
  PenaltyOptions penalties;
  UpdateRule rule;
  float max_norm;  // 0: no limit
  float* theta;    // all of Theta and what goes with it
  float* velocity;
  float* mean_square;  // null but for Adam
};

// Some of a layer's units, whose weights are rows of Theta.
struct UnitRange {
  int64_t first;
  int64_t count;
};

// Some of the inputs of a layer, which are columns of its weights.
struct InputRange {
  int64_t first;
  int64_t count;
};

// Immutable; thread-safe for different units. A unit's new parameters have the same bits with
// whatever others it is updated.
class LayerUpdate {
 public:
  // The gradient is computed for `width` inputs at a time, a multiple of kSquareLanes.
  LayerUpdate(const ParameterLayout::Layer& layer, int64_t width);

  // Writes the gradient, without penalties, of the units' weights of `inputs`, rows `width` apart.
  using WeightGradient = absl::FunctionRef<void(const InputRange& inputs, float* gradient)>;
  // Floats that the functions need of scratch for so many units.
  static int64_t ScratchFloats(int64_t units, int64_t width) {
    return units * (width + kSquareLanes);
  }

  // Both write `squares` [units.count]: of each unit the sum of its squared gradients, penalties
  // included. `delta` is dJ/dz of the layer's units. Run changes Theta at once; Gradient leaves the
  // gradient at its place in `gradient` [layout.size], and Apply takes it from there, times
  // `scale`.
  void Run(const UnitRange& units, const Panels& delta, const UpdatePlan& plan,
           WeightGradient weight_gradient, float* scratch, double* squares) const;
  void Gradient(const UnitRange& units, const Panels& delta, const UpdatePlan& plan,
                WeightGradient weight_gradient, float* gradient, float* scratch,
                double* squares) const;
  void Apply(const UnitRange& units, const UpdatePlan& plan, float* gradient, float scale) const;

  // The parts of these that are about biases, for who keeps the weights elsewhere. `squares`, which
  // are those of the weights, are added to.
  static void BiasGradient(const UnitRange& units, const Panels& delta, float* gradient,
                           double* squares);
  void ApplyToBiases(const UnitRange& units, const UpdatePlan& plan, float* gradient,
                     float scale) const;

 private:
  // The units' weights of some inputs.
  ParameterBlock Weights(const UnitRange& units, const InputRange& inputs, const UpdatePlan& plan,
                         float* gradient, int64_t gradient_stride) const;
  // Their biases as one row.
  ParameterBlock Biases(const UnitRange& units, const UpdatePlan& plan, float* gradient) const;
  template <typename Visit>
  void ForEachBlock(const Visit& visit) const;
  void LimitNorms(const UnitRange& units, const UpdatePlan& plan) const;

  const ParameterLayout::Layer layer_;
  const int64_t width_;
};

}  // namespace mlp

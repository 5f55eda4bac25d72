// A layer's weights transposed, with what the optimizer remembers of them: where SparseLayerStep
// keeps them from step to step. Between Load and Store those in MiniBatchState are old.
#pragma once

#include <cstdint>
#include <optional>

#include "core/nn/network.h"
#include "core/nn/panels.h"
#include "core/optim/update_rule.h"
#include "core/train/mini_batch_state.h"

namespace mlp {

// transpose(W) [in x out] in panels of units, one panel a task. Thread-safe for different panels.
class TransposedLayer {
 public:
  // `keeps_gradient`: there is room for one of the weights.
  TransposedLayer(const ParameterLayout::Layer& layer, int64_t panel_units, bool has_mean_square,
                  bool keeps_gradient);

  static int64_t Bytes(const ParameterLayout::Layer& layer, int64_t panel_units,
                       bool has_mean_square, bool keeps_gradient);

  int panels() const { return static_cast<int>(theta_.count()); }
  int64_t columns_of(int panel) const { return theta_.columns_of(panel); }

  // From, and to, their places in `state`.
  void Load(int panel, const MiniBatchState& state);
  void Store(int panel, MiniBatchState& state) const;

  // From one input on; rows are inputs.
  const float* weights(int panel, int64_t input) const { return theta_.row(panel, input); }
  // The weights of so many inputs; without a gradient where there is no room for it.
  ParameterBlock Block(int panel, int64_t first_input, int64_t inputs);

 private:
  const ParameterLayout::Layer layer_;
  Panels theta_;
  Panels velocity_;
  std::optional<Panels> mean_square_;
  std::optional<Panels> gradient_;
};

}  // namespace mlp

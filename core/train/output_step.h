// The end of forward propagation in a step of mini-batch training, and the start of
// backpropagation: from the output layer's weighted sums to the cost and its derivative.
#pragma once

#include <cstdint>

#include <absl/types/span.h>

#include "core/nn/cost.h"
#include "core/nn/propagation_scratch.h"
#include "core/nn/tile_product.h"
#include "core/train/layer_values.h"

namespace mlp {

// Immutable; thread-safe for different panels.
class OutputStep {
 public:
  OutputStep(CostKind cost, int64_t classes, const TileKernel& kernel);

  // Floats that Run needs of scratch.
  int64_t ScratchFloats() const { return classes_ * panel_; }

  // Of the rows of a panel of the batch: outputs.delta = dJ/dz from outputs.by_unit, the weighted
  // sums z, where J is the mean over the batch of weight times cross-entropy. Returns the sum of
  // weight times cross-entropy over the panel's rows. `labels` and `weights` are the whole batch's;
  // without weights all are 1.
  double Run(int64_t panel, absl::Span<const int32_t> labels, absl::Span<const float> weights,
             LayerValues& outputs, PropagationScratch& scratch) const;

 private:
  const CostKind cost_;
  const int64_t classes_;
  const int64_t panel_;
};

}  // namespace mlp

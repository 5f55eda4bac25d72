// A layer's step by products of whole matrices: its three, in tiles of units, with what belongs to
// each done while the tile is in the cache.
//
// Layouts, for N rows of the batch, in -> out units (all in panels, core/nn/panels.h):
//   forward    Z [out x N] = W [out x in] A_below [in x N] + b
//   backward   delta_below [in x N] = transpose(W) [in x out] delta [out x N] .* activation'
//   gradient   dW [out x in] = delta [out x N] transpose(A_below) [N x in], then the update
// Units are rows so that the weights are used as they lie in Theta, and each tile's result is one
// contiguous piece. How tiles are cut depends on the network and the kernel alone.
#pragma once

#include <cstdint>

#include "core/nn/dropout.h"
#include "core/nn/network.h"
#include "core/nn/tile_product.h"
#include "core/train/layer_step.h"

namespace mlp {

// Immutable.
class DenseLayerStep : public LayerStep {
 public:
  // `units` are the layer's own, null for the output layer's, which are OutputStep's to activate;
  // `below` is the activation of those that come in, identity for the inputs.
  DenseLayerStep(const ParameterLayout::Layer& layer, const LayerSpec* units, Activation below,
                 const TileKernel& kernel);

  // Floats that a task needs of scratch.
  static int64_t ScratchFloats(const TileKernel& kernel) {
    return LayerUpdate::ScratchFloats(kernel.rows, kernel.panel);
  }

  int ForwardTasks(int64_t rows) const override { return Tasks(layer_.outputs, rows); }
  void Forward(int task, const float* theta, const LayerValues& below, const Dropout& dropout,
               LayerValues& above, TileScratch& scratch) const override;

  // below.delta from above.delta. `dropout` is that of the units below.
  int BackwardTasks(int64_t rows) const { return Tasks(layer_.inputs, rows); }
  void Backward(int task, const float* theta, const LayerValues& above, const Dropout& dropout,
                LayerValues& below, TileScratch& scratch) const;

  int UpdateTasks() const override { return static_cast<int>(Tiles(layer_.outputs)); }
  void GradientAndUpdate(int task, const LayerValues& above, const LayerValues& below,
                         const UpdatePlan& plan, TileScratch& scratch, double* squares) override;
  void Gradient(int task, const LayerValues& above, const LayerValues& below,
                const UpdatePlan& plan, float* gradient, TileScratch& scratch,
                double* squares) override;
  void Update(int task, const UpdatePlan& plan, float* gradient, float scale,
              TileScratch& scratch) override;

 private:
  struct Task {
    UnitRange tile;
    int64_t first_panel, last_panel;  // of rows, half open
  };

  int64_t Tiles(int64_t units) const { return (units + kernel_.rows - 1) / kernel_.rows; }
  UnitRange TileOf(int64_t units, int task) const;
  // The products of `units` units with all rows: tasks of a tile and some panels of rows.
  int64_t PanelsPerTask(int64_t units) const;
  int Tasks(int64_t units, int64_t rows) const;
  Task TaskOf(int64_t units, const Panels& rows, int task) const;

  void ComputeGradient(const UnitRange& tile, int64_t panel, const LayerValues& above,
                       const LayerValues& below, float* gradient) const;

  const ParameterLayout::Layer layer_;
  const LayerSpec* const units_;
  const Activation below_;
  const TileKernel& kernel_;
  const LayerUpdate update_;
};

}  // namespace mlp

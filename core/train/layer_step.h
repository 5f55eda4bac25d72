// One layer's share in a step of mini-batch training: its three matrix products, in tiles of units,
// with what belongs to each done while the tile is in the cache. Every function is one task of a
// phase; MiniBatchStep shares the tasks among threads and keeps the phases apart.
//
// Layouts, for N rows of the batch, in -> out units (all in panels, core/nn/panels.h):
//   forward    Z [out x N] = W [out x in] A_below [in x N] + b
//   backward   delta_below [in x N] = transpose(W) [in x out] delta [out x N] .* activation'
//   gradient   dW [out x in] = delta [out x N] transpose(A_below) [N x in], then the update
// Units are rows so that the weights are used as they lie in Theta, and each tile's result is one
// contiguous piece. How tiles are cut depends on the network and the kernel alone.
#pragma once

#include <cstdint>
#include <vector>

#include "core/nn/dropout.h"
#include "core/nn/network.h"
#include "core/nn/tile_product.h"
#include "core/optim/update_rule.h"
#include "core/train/layer_values.h"

namespace mlp {

// Memory of one thread.
using TileScratch = std::vector<float>;

// What the update of all layers has in common.
struct UpdatePlan {
  PenaltyOptions penalties;
  UpdateRule rule;
  float max_norm;  // 0: no limit
  float* theta;    // all of Theta and what goes with it
  float* velocity;
  float* mean_square;  // null but for Adam
};

// Immutable; thread-safe for different tasks of a phase.
class LayerStep {
 public:
  // `units` are the layer's own, null for the output layer's, which are OutputStep's to activate;
  // `below` is the activation of those that come in, identity for the inputs.
  LayerStep(const ParameterLayout::Layer& layer, const LayerSpec* units, Activation below,
            const TileKernel& kernel);

  // Floats that a task needs of scratch.
  static int64_t ScratchFloats(const TileKernel& kernel) { return kernel.rows * kernel.panel; }

  // Activations of `above`; of an output layer the weighted sums.
  int ForwardTasks(int64_t rows) const { return Tasks(layer_.outputs, rows); }
  void Forward(int task, const float* theta, const LayerValues& below, const Dropout& dropout,
               LayerValues& above) const;

  // below.delta from above.delta. `dropout` is that of the units below.
  int BackwardTasks(int64_t rows) const { return Tasks(layer_.inputs, rows); }
  void Backward(int task, const float* theta, const LayerValues& above, const Dropout& dropout,
                LayerValues& below, TileScratch& scratch) const;

  // The gradient of a tile's weights and biases with penalties. Returns the sum of its squares.
  // GradientAndUpdate changes Theta by it at once; Gradient leaves it at its place in `gradient`
  // [layout.size], and Update takes it from there, times `scale`.
  int UpdateTasks() const { return static_cast<int>(Tiles(layer_.outputs)); }
  double GradientAndUpdate(int task, const LayerValues& above, const LayerValues& below,
                           const UpdatePlan& plan, TileScratch& scratch) const;
  double Gradient(int task, const LayerValues& above, const LayerValues& below,
                  const UpdatePlan& plan, float* gradient, TileScratch& scratch) const;
  void Update(int task, const UpdatePlan& plan, float* gradient, float scale) const;

 private:
  struct Tile {
    int64_t first;
    int64_t count;
  };
  struct Task {
    Tile tile;
    int64_t first_panel, last_panel;  // of rows, half open
  };

  int64_t Tiles(int64_t units) const { return (units + kernel_.rows - 1) / kernel_.rows; }
  Tile TileOf(int64_t units, int task) const;
  // The products of `units` units with all rows: tasks of a tile and some panels of rows.
  int64_t PanelsPerTask(int64_t units) const;
  int Tasks(int64_t units, int64_t rows) const;
  Task TaskOf(int64_t units, const Panels& rows, int task) const;

  void ComputeGradient(const Tile& tile, int64_t panel, const LayerValues& above,
                       const LayerValues& below, float* gradient) const;
  // `columns` of the tile's weights from `first_column` on.
  ParameterBlock Weights(const Tile& tile, int64_t first_column, int64_t columns,
                         const UpdatePlan& plan, float* gradient, int64_t gradient_stride) const;
  // The tile's biases as one row.
  ParameterBlock Biases(const Tile& tile, const UpdatePlan& plan, float* gradient) const;
  void LimitNorms(const Tile& tile, const UpdatePlan& plan) const;

  const ParameterLayout::Layer layer_;
  const LayerSpec* const units_;
  const Activation below_;
  const TileKernel& kernel_;
};

}  // namespace mlp

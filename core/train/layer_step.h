// One layer's share in a step of mini-batch training, in tiles of units. Every function is one task
// of a phase; MiniBatchStep shares the tasks among threads and keeps the phases apart.
#pragma once

#include "core/nn/dropout.h"
#include "core/nn/propagation_scratch.h"
#include "core/train/layer_update.h"
#include "core/train/layer_values.h"

namespace mlp {

// Memory of one thread.
using TileScratch = PropagationScratch;

// What all layers do. Thread-safe for different tasks of a phase. Results are the same bits
// whichever of the classes computes them (docs/numerics.md, 6).
class LayerStep {
 public:
  virtual ~LayerStep() = default;

  // Activations of `above`; of an output layer the weighted sums.
  virtual int ForwardTasks(int64_t rows) const = 0;
  virtual void Forward(int task, const float* theta, const LayerValues& below,
                       const Dropout& dropout, LayerValues& above, TileScratch& scratch) const = 0;

  // The gradient of a tile's weights and biases with penalties, and of each unit of the layer, at
  // its place in `squares`, the sum of its squares. GradientAndUpdate changes Theta by it at once;
  // Gradient leaves it for Update to take, times `scale`: at its place in `gradient` [layout.size],
  // or where the layer keeps its weights.
  virtual int UpdateTasks() const = 0;
  virtual void GradientAndUpdate(int task, const LayerValues& above, const LayerValues& below,
                                 const UpdatePlan& plan, TileScratch& scratch, double* squares) = 0;
  virtual void Gradient(int task, const LayerValues& above, const LayerValues& below,
                        const UpdatePlan& plan, float* gradient, TileScratch& scratch,
                        double* squares) = 0;
  virtual void Update(int task, const UpdatePlan& plan, float* gradient, float scale,
                      TileScratch& scratch) = 0;
};

}  // namespace mlp

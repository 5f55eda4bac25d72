#include "core/train/dense_layer_step.h"

#include <algorithm>

#include "core/nn/activation.h"

namespace mlp {
namespace {

// Rows that a task takes at once: their activations below stay in the L2 cache from tile to tile.
constexpr int64_t kTaskRows = 256;
// Layers of fewer tiles are divided by rows as finely as can be.
constexpr int64_t kFewTiles = 16;

}  // namespace

DenseLayerStep::DenseLayerStep(const ParameterLayout::Layer& layer, const LayerSpec* units,
                               Activation below, const TileKernel& kernel)
    : layer_(layer), units_(units), below_(below), kernel_(kernel), update_(layer, kernel.panel) {}

UnitRange DenseLayerStep::TileOf(int64_t units, int task) const {
  const int64_t tiles = Tiles(units);
  const int64_t first = units * task / tiles;
  return {.first = first, .count = units * (task + 1) / tiles - first};
}

int64_t DenseLayerStep::PanelsPerTask(int64_t units) const {
  return Tiles(units) < kFewTiles ? 1 : std::max<int64_t>(1, kTaskRows / kernel_.panel);
}

int DenseLayerStep::Tasks(int64_t units, int64_t rows) const {
  const int64_t task_rows = PanelsPerTask(units) * kernel_.panel;
  return static_cast<int>(Tiles(units) * ((rows + task_rows - 1) / task_rows));
}

// All tiles with the first rows, then with the next.
DenseLayerStep::Task DenseLayerStep::TaskOf(int64_t units, const Panels& rows, int task) const {
  const int64_t tiles = Tiles(units);
  const int64_t panels = PanelsPerTask(units);
  const int64_t first = task / tiles * panels;
  return {.tile = TileOf(units, static_cast<int>(task % tiles)),
          .first_panel = first,
          .last_panel = std::min(first + panels, rows.count())};
}

void DenseLayerStep::Forward(int task, const float* theta, const LayerValues& below,
                             const Dropout& dropout, LayerValues& above, TileScratch&) const {
  const auto [tile, first_panel, last_panel] = TaskOf(layer_.outputs, above.by_unit, task);
  const int64_t width = kernel_.panel;
  for (int64_t panel = first_panel; panel < last_panel; ++panel) {
    const int64_t columns = above.by_unit.columns_of(panel);
    float* z = above.by_unit.row(panel, tile.first);
    kernel_.multiply({.rows = tile.count,
                      .columns = columns,
                      .depth = layer_.inputs,
                      .a = theta + layer_.weights + tile.first * layer_.inputs,
                      .a_row = layer_.inputs,
                      .a_depth = 1,
                      .segment = layer_.inputs,
                      .a_segment = 0,
                      .b = below.by_unit.row(panel, 0),
                      .start = theta + layer_.biases + tile.first,
                      .c = z,
                      .c_row = width});
    if (units_ == nullptr) continue;
    Activate<float>(*units_, MatrixMap<float>(z, tile.count, width));
    if (dropout.enabled()) {
      dropout.ApplyToUnits(tile.first, tile.count, panel * width, columns, z, width);
    }
  }
}

void DenseLayerStep::Backward(int task, const float* theta, const LayerValues& above,
                              const Dropout& dropout, LayerValues& below,
                              TileScratch& scratch) const {
  const auto [tile, first_panel, last_panel] = TaskOf(layer_.inputs, below.delta, task);
  const int64_t width = kernel_.panel;
  for (int64_t panel = first_panel; panel < last_panel; ++panel) {
    const int64_t columns = below.delta.columns_of(panel);
    float* delta = below.delta.row(panel, tile.first);
    kernel_.multiply({.rows = tile.count,
                      .columns = columns,
                      .depth = layer_.outputs,
                      .a = theta + layer_.weights + tile.first,
                      .a_row = 1,
                      .a_depth = layer_.inputs,
                      .segment = layer_.outputs,
                      .a_segment = 0,
                      .b = above.delta.row(panel, 0),
                      .start = nullptr,
                      .c = delta,
                      .c_row = width});
    const float* values = below.by_unit.row(panel, tile.first);
    if (dropout.enabled()) {
      // The units' own activations, before they were scaled; what was left out comes to nothing.
      float* const undone = scratch.Take(tile.count * width);
      std::transform(values, values + tile.count * width, undone,
                     [scale = dropout.scale()](float value) { return value / scale; });
      values = undone;
      dropout.ApplyToUnits(tile.first, tile.count, panel * width, columns, delta, width);
    }
    MultiplyByDerivative<float>(below_, ConstMatrixMap<float>(values, tile.count, width),
                                MatrixMap<float>(delta, tile.count, width));
  }
}

void DenseLayerStep::ComputeGradient(const UnitRange& tile, int64_t panel, const LayerValues& above,
                                     const LayerValues& below, float* gradient) const {
  kernel_.multiply({.rows = tile.count,
                    .columns = below.by_row.columns_of(panel),
                    .depth = below.rows(),
                    .a = above.delta.row(0, tile.first),
                    .a_row = kernel_.panel,
                    .a_depth = 1,
                    .segment = kernel_.panel,
                    .a_segment = above.delta.stride(),
                    .b = below.by_row.row(panel, 0),
                    .start = nullptr,
                    .c = gradient,
                    .c_row = kernel_.panel});
}

void DenseLayerStep::GradientAndUpdate(int task, const LayerValues& above, const LayerValues& below,
                                       const UpdatePlan& plan, TileScratch& scratch,
                                       double* squares) {
  const UnitRange tile = TileOf(layer_.outputs, task);
  update_.Run(
      tile, above.delta, plan,
      [&](const InputRange& inputs, float* gradient) {
        ComputeGradient(tile, inputs.first / kernel_.panel, above, below, gradient);
      },
      scratch.Take(ScratchFloats(kernel_)), squares + tile.first);
}

void DenseLayerStep::Gradient(int task, const LayerValues& above, const LayerValues& below,
                              const UpdatePlan& plan, float* gradient, TileScratch& scratch,
                              double* squares) {
  const UnitRange tile = TileOf(layer_.outputs, task);
  update_.Gradient(
      tile, above.delta, plan,
      [&](const InputRange& inputs, float* block) {
        ComputeGradient(tile, inputs.first / kernel_.panel, above, below, block);
      },
      gradient, scratch.Take(ScratchFloats(kernel_)), squares + tile.first);
}

void DenseLayerStep::Update(int task, const UpdatePlan& plan, float* gradient, float scale,
                            TileScratch&) {
  update_.Apply(TileOf(layer_.outputs, task), plan, gradient, scale);
}

}  // namespace mlp

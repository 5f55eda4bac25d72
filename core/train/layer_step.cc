#include "core/train/layer_step.h"

#include <algorithm>

#include "core/nn/activation.h"

namespace mlp {
namespace {

// Rows that a task takes at once: their activations below stay in the L2 cache from tile to tile.
constexpr int64_t kTaskRows = 256;
// Layers of fewer tiles are divided by rows as finely as can be.
constexpr int64_t kFewTiles = 16;

// Of a row of a panel of `delta`: the sum over all rows of the batch, in their order.
float SumOverBatch(const Panels& delta, int64_t unit) {
  float sum = 0.0f;
  for (int64_t p = 0; p < delta.count(); ++p) {
    sum += ConstVectorMap<float>(delta.row(p, unit), delta.columns_of(p)).sum();
  }
  return sum;
}

// Asks for what the update will need, while the gradient is being computed.
void Prefetch(const ParameterBlock& block) {
  constexpr int64_t kCacheLine = 16;
  for (int64_t i = 0; i < block.rows; ++i) {
    for (int64_t j = 0; j < block.columns; j += kCacheLine) {
      const int64_t at = i * block.stride + j;
      __builtin_prefetch(block.theta + at, 1);
      __builtin_prefetch(block.velocity + at, 1);
      if (block.mean_square != nullptr) __builtin_prefetch(block.mean_square + at, 1);
    }
  }
}

}  // namespace

LayerStep::LayerStep(const ParameterLayout::Layer& layer, const LayerSpec* units, Activation below,
                     const TileKernel& kernel)
    : layer_(layer), units_(units), below_(below), kernel_(kernel) {}

LayerStep::Tile LayerStep::TileOf(int64_t units, int task) const {
  const int64_t tiles = Tiles(units);
  const int64_t first = units * task / tiles;
  return {.first = first, .count = units * (task + 1) / tiles - first};
}

int64_t LayerStep::PanelsPerTask(int64_t units) const {
  return Tiles(units) < kFewTiles ? 1 : std::max<int64_t>(1, kTaskRows / kernel_.panel);
}

int LayerStep::Tasks(int64_t units, int64_t rows) const {
  const int64_t task_rows = PanelsPerTask(units) * kernel_.panel;
  return static_cast<int>(Tiles(units) * ((rows + task_rows - 1) / task_rows));
}

// All tiles with the first rows, then with the next.
LayerStep::Task LayerStep::TaskOf(int64_t units, const Panels& rows, int task) const {
  const int64_t tiles = Tiles(units);
  const int64_t panels = PanelsPerTask(units);
  const int64_t first = task / tiles * panels;
  return {.tile = TileOf(units, static_cast<int>(task % tiles)),
          .first_panel = first,
          .last_panel = std::min(first + panels, rows.count())};
}

void LayerStep::Forward(int task, const float* theta, const LayerValues& below,
                        const Dropout& dropout, LayerValues& above) const {
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

void LayerStep::Backward(int task, const float* theta, const LayerValues& above,
                         const Dropout& dropout, LayerValues& below, TileScratch& scratch) const {
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
      std::transform(values, values + tile.count * width, scratch.data(),
                     [scale = dropout.scale()](float value) { return value / scale; });
      values = scratch.data();
      dropout.ApplyToUnits(tile.first, tile.count, panel * width, columns, delta, width);
    }
    MultiplyByDerivative<float>(below_, ConstMatrixMap<float>(values, tile.count, width),
                                MatrixMap<float>(delta, tile.count, width));
  }
}

void LayerStep::ComputeGradient(const Tile& tile, int64_t panel, const LayerValues& above,
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

ParameterBlock LayerStep::Weights(const Tile& tile, int64_t first_column, int64_t columns,
                                  const UpdatePlan& plan, float* gradient,
                                  int64_t gradient_stride) const {
  const int64_t at = layer_.weights + tile.first * layer_.inputs + first_column;
  return {.rows = tile.count,
          .columns = columns,
          .theta = plan.theta + at,
          .velocity = plan.velocity + at,
          .mean_square = plan.mean_square == nullptr ? nullptr : plan.mean_square + at,
          .stride = layer_.inputs,
          .gradient = gradient,
          .gradient_stride = gradient_stride};
}

ParameterBlock LayerStep::Biases(const Tile& tile, const UpdatePlan& plan, float* gradient) const {
  const int64_t at = layer_.biases + tile.first;
  return {.rows = 1,
          .columns = tile.count,
          .theta = plan.theta + at,
          .velocity = plan.velocity + at,
          .mean_square = plan.mean_square == nullptr ? nullptr : plan.mean_square + at,
          .stride = tile.count,
          .gradient = gradient,
          .gradient_stride = tile.count};
}

void LayerStep::LimitNorms(const Tile& tile, const UpdatePlan& plan) const {
  if (plan.max_norm > 0.0f) {
    LimitRowNorms(Weights(tile, 0, layer_.inputs, plan, nullptr, 0), plan.max_norm);
  }
}

double LayerStep::GradientAndUpdate(int task, const LayerValues& above, const LayerValues& below,
                                    const UpdatePlan& plan, TileScratch& scratch) const {
  const Tile tile = TileOf(layer_.outputs, task);
  const int64_t width = kernel_.panel;
  double squares = 0.0;
  for (int64_t panel = 0; panel < below.by_row.count(); ++panel) {
    const ParameterBlock block =
        Weights(tile, panel * width, below.by_row.columns_of(panel), plan, scratch.data(), width);
    Prefetch(block);
    ComputeGradient(tile, panel, above, below, block.gradient);
    squares += AddPenalties(plan.penalties, block);
    plan.rule.Apply(block, /*gradient_scale=*/1.0f, /*decayed=*/true);
  }
  LimitNorms(tile, plan);
  for (int64_t u = 0; u < tile.count; ++u) {
    scratch[static_cast<size_t>(u)] = SumOverBatch(above.delta, tile.first + u);
  }
  const ParameterBlock biases = Biases(tile, plan, scratch.data());
  squares += AddPenalties({}, biases);
  plan.rule.Apply(biases, /*gradient_scale=*/1.0f, /*decayed=*/false);
  return squares;
}

double LayerStep::Gradient(int task, const LayerValues& above, const LayerValues& below,
                           const UpdatePlan& plan, float* gradient, TileScratch& scratch) const {
  const Tile tile = TileOf(layer_.outputs, task);
  const int64_t width = kernel_.panel;
  float* rows = gradient + layer_.weights + tile.first * layer_.inputs;
  for (int64_t panel = 0; panel < below.by_row.count(); ++panel) {
    ComputeGradient(tile, panel, above, below, scratch.data());
    for (int64_t u = 0; u < tile.count; ++u) {
      std::copy_n(scratch.data() + u * width, below.by_row.columns_of(panel),
                  rows + u * layer_.inputs + panel * width);
    }
  }
  float* biases = gradient + layer_.biases + tile.first;
  for (int64_t u = 0; u < tile.count; ++u) biases[u] = SumOverBatch(above.delta, tile.first + u);
  return AddPenalties(plan.penalties, Weights(tile, 0, layer_.inputs, plan, rows, layer_.inputs)) +
         AddPenalties({}, Biases(tile, plan, biases));
}

void LayerStep::Update(int task, const UpdatePlan& plan, float* gradient, float scale) const {
  const Tile tile = TileOf(layer_.outputs, task);
  plan.rule.Apply(Weights(tile, 0, layer_.inputs, plan,
                          gradient + layer_.weights + tile.first * layer_.inputs, layer_.inputs),
                  scale, /*decayed=*/true);
  plan.rule.Apply(Biases(tile, plan, gradient + layer_.biases + tile.first), scale,
                  /*decayed=*/false);
  LimitNorms(tile, plan);
}

}  // namespace mlp

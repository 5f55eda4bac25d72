#include "core/train/sparse_layer_step.h"

#include <algorithm>
#include <cassert>

#include "core/nn/activation.h"
#include "core/nn/sparse_product_avx512.h"
#include "core/nn/tile_product_avx512.h"

namespace mlp {
namespace {

// Of the lists.
constexpr int64_t kRowsPerTask = 16;
constexpr int64_t kColumnsPerTask = 64;

// Inputs whose gradient is computed at once: it is still in the L1 cache when weights are changed.
constexpr int64_t kInputsAtOnce = 2 * kSquareLanes;

// Rows that a forward task takes at once where there are panels of units enough for all threads.
constexpr int64_t kTaskRows = 256;
constexpr int64_t kFewPanels = 8;

int64_t CeilOfRatio(int64_t a, int64_t b) { return (a + b - 1) / b; }

bool Clips(const OptimizerOptions& optimizer) { return optimizer.max_gradient_norm > 0.0; }

// `lanes` [kSquareLanes x units.count].
void SumLanes(const UnitRange& units, const float* lanes, double* squares) {
  for (int64_t u = 0; u < units.count; ++u) squares[u] = SumOfLanes(lanes + u, units.count);
}

}  // namespace

bool SparseLayerStep::Supports(const TileKernel& kernel) { return &kernel == Avx512TileKernel(); }

SparseLayerStep::SparseLayerStep(const ParameterLayout::Layer& layer, const LayerSpec* units,
                                 const OptimizerOptions& optimizer, int64_t panel)
    : layer_(layer),
      units_(units),
      panel_(panel),
      update_(layer, panel),
      weights_(layer, kSparsePanel, UpdateRule::HasMeanSquare(optimizer.kind), Clips(optimizer)),
      by_row_(optimizer.batch_size, layer.inputs),
      by_column_(layer.inputs, optimizer.batch_size) {}

int64_t SparseLayerStep::ScratchFloats(int64_t most_rows, int64_t panel) {
  const int64_t rows = CeilOfRatio(most_rows, panel) * panel;
  return (kInputsAtOnce + kSquareLanes + rows) * kSparsePanel;
}

int64_t SparseLayerStep::Bytes(const ParameterLayout::Layer& layer,
                               const OptimizerOptions& optimizer) {
  return TransposedLayer::Bytes(layer, kSparsePanel, UpdateRule::HasMeanSquare(optimizer.kind),
                                Clips(optimizer)) +
         SparseRows::Bytes(optimizer.batch_size, layer.inputs) +
         SparseRows::Bytes(layer.inputs, optimizer.batch_size);
}

bool SparseLayerStep::Pays(const float* inputs, int64_t rows, const Dropout& dropout) const {
  // scale() is 1 over the share that dropout leaves.
  return MostlyZeros(inputs, rows, layer_.inputs, 1.0 / static_cast<double>(dropout.scale()));
}

void SparseLayerStep::Begin(int64_t rows, const MiniBatchState& state) {
  assert(holder_ == nullptr || holder_ == state.theta.data());
  rows_ = rows;
  loads_weights_ = holder_ == nullptr;
  holder_ = state.theta.data();
}

int SparseLayerStep::RowTasks() const { return static_cast<int>(CeilOfRatio(rows_, kRowsPerTask)); }

int SparseLayerStep::ColumnTasks() const {
  return static_cast<int>(CeilOfRatio(layer_.inputs, kColumnsPerTask));
}

int SparseLayerStep::LoadTasks() const {
  return RowTasks() + ColumnTasks() + (loads_weights_ ? weights_.panels() : 0);
}

void SparseLayerStep::Load(int task, const float* inputs, const Dropout& dropout,
                           const MiniBatchState& state) {
  if (task < RowTasks()) return LoadRows(task, inputs, dropout);
  task -= RowTasks();
  if (task < ColumnTasks()) return LoadColumns(task, inputs, dropout);
  weights_.Load(task - ColumnTasks(), state);
}

int64_t SparseLayerStep::non_zeros() const {
  int64_t sum = 0;
  for (int64_t i = 0; i < rows_; ++i) sum += by_row_.from(i)->count;
  return sum;
}

void SparseLayerStep::Store(int task, MiniBatchState& state) const {
  assert(holder_ == state.theta.data());
  weights_.Store(task, state);
}

void SparseLayerStep::LoadRows(int task, const float* inputs, const Dropout& dropout) {
  const int64_t first = task * kRowsPerTask;
  for (int64_t i = first; i < std::min(first + kRowsPerTask, rows_); ++i) {
    float* const row = by_row_.Dense(i);
    std::copy_n(inputs + i * layer_.inputs, layer_.inputs, row);
    if (dropout.enabled()) dropout.ApplyToRows(i, 1, 0, layer_.inputs, row, layer_.inputs);
    by_row_.Compress(i, layer_.inputs);
  }
}

void SparseLayerStep::LoadColumns(int task, const float* inputs, const Dropout& dropout) {
  const int64_t first = task * kColumnsPerTask;
  const int64_t count = std::min(kColumnsPerTask, layer_.inputs - first);
  float* const columns = by_column_.Dense(first);
  Transpose({.from = inputs + first,
             .from_row = layer_.inputs,
             .rows = rows_,
             .columns = count,
             .to = columns,
             .to_row = by_column_.stride()});
  if (dropout.enabled()) {
    dropout.ApplyToUnits(first, count, 0, rows_, columns, by_column_.stride());
  }
  for (int64_t j = first; j < first + count; ++j) by_column_.Compress(j, rows_);
}

UnitRange SparseLayerStep::UnitsOf(int task) const {
  return {.first = task * kSparsePanel, .count = weights_.columns_of(task)};
}

int64_t SparseLayerStep::PanelsPerTask(int64_t rows) const {
  if (weights_.panels() < kFewPanels) return 1;
  return std::clamp(CeilOfRatio(rows, panel_), int64_t{1}, kTaskRows / panel_);
}

// All rows with the first units, then with the next.
int SparseLayerStep::ForwardTasks(int64_t rows) const {
  return static_cast<int>(weights_.panels() *
                          CeilOfRatio(CeilOfRatio(rows, panel_), PanelsPerTask(rows)));
}

void SparseLayerStep::Forward(int task, const float* theta, const LayerValues&,
                              const Dropout& dropout, LayerValues& above,
                              TileScratch& scratch) const {
  const int64_t panels = PanelsPerTask(rows_);
  const auto parts = static_cast<int>(CeilOfRatio(above.by_unit.count(), panels));
  const int weights = task / parts;
  const UnitRange units = UnitsOf(weights);
  alignas(64) float biases[kSparsePanel] = {};
  std::copy_n(theta + layer_.biases + units.first, units.count, biases);
  float* const z_by_row = scratch.Take(panel_ * kSparsePanel);

  const int64_t first = task % parts * panels;
  for (int64_t p = first; p < std::min(first + panels, above.by_unit.count()); ++p) {
    const int64_t rows = above.by_unit.columns_of(p);
    MultiplySparse({.a = by_row_.from(p * panel_),
                    .rows = rows,
                    .columns = units.count,
                    .b = weights_.weights(weights, 0),
                    .b_row = kSparsePanel,
                    .start = biases,
                    .c = z_by_row,
                    .c_row = kSparsePanel});
    float* z = above.by_unit.row(p, units.first);
    Transpose({.from = z_by_row,
               .from_row = kSparsePanel,
               .rows = panel_,
               .columns = units.count,
               .to = z,
               .to_row = panel_});
    if (units_ == nullptr) continue;
    Activate<float>(*units_, MatrixMap<float>(z, units.count, panel_));
    if (dropout.enabled()) {
      dropout.ApplyToUnits(units.first, units.count, p * panel_, rows, z, panel_);
    }
  }
}

SparseLayerStep::GradientScratch SparseLayerStep::Prepare(int panel, const Panels& delta,
                                                          TileScratch& scratch) const {
  const UnitRange units = UnitsOf(panel);
  float* const gradient = scratch.Take(ScratchFloats(rows_, panel_));
  float* const lanes = gradient + kInputsAtOnce * kSparsePanel;
  float* const deltas = lanes + kSquareLanes * kSparsePanel;
  std::fill_n(lanes, kSquareLanes * units.count, 0.0f);
  for (int64_t p = 0; p < delta.count(); ++p) {
    Transpose({.from = delta.row(p, units.first),
               .from_row = panel_,
               .rows = units.count,
               .columns = panel_,
               .to = deltas + p * panel_ * kSparsePanel,
               .to_row = kSparsePanel});
  }
  return {.gradient = gradient, .lanes = lanes, .delta = deltas};
}

void SparseLayerStep::ComputeGradient(int panel, const InputRange& inputs,
                                      const PenaltyOptions& penalties, const ParameterBlock& block,
                                      const GradientScratch& scratch) const {
  MultiplySparse({.a = by_column_.from(inputs.first),
                  .rows = inputs.count,
                  .columns = weights_.columns_of(panel),
                  .b = scratch.delta,
                  .b_row = kSparsePanel,
                  .start = nullptr,
                  .c = block.gradient,
                  .c_row = kSparsePanel});
  AddPenaltiesTransposed(penalties, block, scratch.lanes);
}

template <typename Visit>
void SparseLayerStep::ForEachBlock(int panel, const Visit& visit) {
  for (int64_t first = 0; first < layer_.inputs; first += kInputsAtOnce) {
    const InputRange inputs = {.first = first,
                               .count = std::min(kInputsAtOnce, layer_.inputs - first)};
    visit(inputs, weights_.Block(panel, inputs.first, inputs.count));
  }
}

void SparseLayerStep::LimitNorms(int panel, const UpdatePlan& plan, float* lanes) {
  if (plan.max_norm > 0.0f) {
    LimitColumnNorms(weights_.Block(panel, 0, layer_.inputs), plan.max_norm, lanes);
  }
}

void SparseLayerStep::GradientAndUpdate(int task, const LayerValues& above, const LayerValues&,
                                        const UpdatePlan& plan, TileScratch& scratch,
                                        double* squares) {
  const UnitRange units = UnitsOf(task);
  const GradientScratch parts = Prepare(task, above.delta, scratch);
  ForEachBlock(task, [&](const InputRange& inputs, ParameterBlock block) {
    block.gradient = parts.gradient;
    ComputeGradient(task, inputs, plan.penalties, block, parts);
    plan.rule.Apply(block, /*gradient_scale=*/1.0f, /*decayed=*/true);
  });
  squares += units.first;
  SumLanes(units, parts.lanes, squares);
  LimitNorms(task, plan, parts.lanes);
  LayerUpdate::BiasGradient(units, above.delta, parts.gradient, squares);
  update_.ApplyToBiases(units, plan, parts.gradient, /*scale=*/1.0f);
}

void SparseLayerStep::Gradient(int task, const LayerValues& above, const LayerValues&,
                               const UpdatePlan& plan, float* gradient, TileScratch& scratch,
                               double* squares) {
  const UnitRange units = UnitsOf(task);
  const GradientScratch parts = Prepare(task, above.delta, scratch);
  ForEachBlock(task, [&](const InputRange& inputs, const ParameterBlock& block) {
    ComputeGradient(task, inputs, plan.penalties, block, parts);
  });
  squares += units.first;
  SumLanes(units, parts.lanes, squares);
  LayerUpdate::BiasGradient(units, above.delta, gradient + layer_.biases + units.first, squares);
}

void SparseLayerStep::Update(int task, const UpdatePlan& plan, float* gradient, float scale,
                             TileScratch& scratch) {
  const UnitRange units = UnitsOf(task);
  plan.rule.Apply(weights_.Block(task, 0, layer_.inputs), scale, /*decayed=*/true);
  LimitNorms(task, plan, scratch.Take(kSquareLanes * kSparsePanel));
  update_.ApplyToBiases(units, plan, gradient + layer_.biases + units.first, scale);
}

}  // namespace mlp

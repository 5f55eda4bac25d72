#include "core/train/sparse_layer_step.h"

#include <algorithm>

#include "core/nn/activation.h"
#include "core/nn/sparse_product_avx512.h"
#include "core/nn/tile_product_avx512.h"

namespace mlp {
namespace {

// Above it whole products are faster, which make three multiplications in the time of one here:
// they load an operand once for fourteen.
constexpr double kMostNonZeros = 0.3;
// Rows of a batch of which one is looked at to know.
constexpr int64_t kRowsPerSample = 16;

// Of the lists.
constexpr int64_t kRowsPerTask = 16;
constexpr int64_t kColumnsPerTask = 64;

// Rows that a forward task takes at once where there are panels of units enough for all threads.
constexpr int64_t kTaskRows = 256;
constexpr int64_t kFewPanels = 8;

int64_t CeilOfRatio(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace

bool SparseLayerStep::Supports(const TileKernel& kernel) { return &kernel == Avx512TileKernel(); }

SparseLayerStep::SparseLayerStep(const ParameterLayout::Layer& layer, const LayerSpec* units,
                                 int64_t most_rows, int64_t panel)
    : layer_(layer),
      units_(units),
      panel_(panel),
      update_(layer, panel),
      weights_(layer.inputs, layer.outputs, kSparsePanel),
      by_row_(most_rows, layer.inputs),
      by_column_(layer.inputs, most_rows) {}

int64_t SparseLayerStep::ScratchFloats(int64_t most_rows, int64_t panel) {
  const int64_t rows = CeilOfRatio(most_rows, panel) * panel;
  return LayerUpdate::ScratchFloats(kSparsePanel, panel) + (rows + panel) * kSparsePanel;
}

int64_t SparseLayerStep::Bytes(const ParameterLayout::Layer& layer, int64_t most_rows) {
  return Panels::Bytes(layer.inputs, layer.outputs, kSparsePanel) +
         SparseRows::Bytes(most_rows, layer.inputs) + SparseRows::Bytes(layer.inputs, most_rows);
}

bool SparseLayerStep::Pays(const float* inputs, int64_t rows, const Dropout& dropout) const {
  int64_t seen = 0, non_zeros = 0;
  for (int64_t i = 0; i < rows; i += kRowsPerSample, seen += layer_.inputs) {
    non_zeros += CountNonZeros(inputs + i * layer_.inputs, layer_.inputs);
  }
  // scale() is 1 over the share that dropout leaves.
  return static_cast<double>(non_zeros) / static_cast<double>(dropout.scale()) <
         kMostNonZeros * static_cast<double>(seen);
}

void SparseLayerStep::Begin(int64_t rows, const ThetaVersion& version) {
  rows_ = rows;
  weights_are_old_ = version != transposed_;
  transposed_ = {};
}

int SparseLayerStep::RowTasks() const { return static_cast<int>(CeilOfRatio(rows_, kRowsPerTask)); }

int SparseLayerStep::ColumnTasks() const {
  return static_cast<int>(CeilOfRatio(layer_.inputs, kColumnsPerTask));
}

int SparseLayerStep::LoadTasks() const {
  return RowTasks() + ColumnTasks() + (weights_are_old_ ? UpdateTasks() : 0);
}

void SparseLayerStep::Load(int task, const float* inputs, const Dropout& dropout,
                           const float* theta) {
  if (task < RowTasks()) return LoadRows(task, inputs, dropout);
  task -= RowTasks();
  if (task < ColumnTasks()) return LoadColumns(task, inputs, dropout);
  TransposeWeights(task - ColumnTasks(), {.first = 0, .count = layer_.inputs}, theta);
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

void SparseLayerStep::TransposeWeights(int panel, const InputRange& inputs, const float* theta) {
  const UnitRange units = UnitsOf(panel);
  Transpose({.from = theta + layer_.weights + units.first * layer_.inputs + inputs.first,
             .from_row = layer_.inputs,
             .rows = units.count,
             .columns = inputs.count,
             .to = weights_.row(panel, inputs.first),
             .to_row = kSparsePanel});
}

UnitRange SparseLayerStep::UnitsOf(int task) const {
  return {.first = task * kSparsePanel, .count = weights_.columns_of(task)};
}

int64_t SparseLayerStep::PanelsPerTask(int64_t rows) const {
  if (weights_.count() < kFewPanels) return 1;
  return std::clamp(CeilOfRatio(rows, panel_), int64_t{1}, kTaskRows / panel_);
}

// All rows with the first units, then with the next.
int SparseLayerStep::ForwardTasks(int64_t rows) const {
  return static_cast<int>(weights_.count() *
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
    MultiplySparse({.a = &by_row_,
                    .first_row = p * panel_,
                    .rows = rows,
                    .columns = units.count,
                    .b = weights_.row(weights, 0),
                    .start = biases,
                    .c = z_by_row});
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
  float* const all = scratch.Take(ScratchFloats(rows_, panel_));
  float* const transposed = all + LayerUpdate::ScratchFloats(kSparsePanel, panel_);
  float* const deltas = transposed + panel_ * kSparsePanel;
  for (int64_t p = 0; p < delta.count(); ++p) {
    Transpose({.from = delta.row(p, units.first),
               .from_row = panel_,
               .rows = units.count,
               .columns = panel_,
               .to = deltas + p * panel_ * kSparsePanel,
               .to_row = kSparsePanel});
  }
  return {.of_update = all, .delta = deltas, .transposed = transposed};
}

void SparseLayerStep::ComputeGradient(int panel, const InputRange& inputs,
                                      const GradientScratch& scratch, float* gradient) const {
  const int64_t units = UnitsOf(panel).count;
  MultiplySparse({.a = &by_column_,
                  .first_row = inputs.first,
                  .rows = inputs.count,
                  .columns = units,
                  .b = scratch.delta,
                  .start = nullptr,
                  .c = scratch.transposed});
  Transpose({.from = scratch.transposed,
             .from_row = kSparsePanel,
             .rows = inputs.count,
             .columns = units,
             .to = gradient,
             .to_row = panel_});
}

void SparseLayerStep::GradientAndUpdate(int task, const LayerValues& above, const LayerValues&,
                                        const UpdatePlan& plan, TileScratch& scratch,
                                        double* squares) {
  const UnitRange units = UnitsOf(task);
  const GradientScratch parts = Prepare(task, above.delta, scratch);
  update_.Run(
      units, above.delta, plan,
      [&](const InputRange& inputs, float* gradient) {
        ComputeGradient(task, inputs, parts, gradient);
      },
      [&](const InputRange& inputs) { TransposeWeights(task, inputs, plan.theta); },
      parts.of_update, squares + units.first);
}

void SparseLayerStep::Gradient(int task, const LayerValues& above, const LayerValues&,
                               const UpdatePlan& plan, float* gradient, TileScratch& scratch,
                               double* squares) const {
  const UnitRange units = UnitsOf(task);
  const GradientScratch parts = Prepare(task, above.delta, scratch);
  update_.Gradient(
      units, above.delta, plan,
      [&](const InputRange& inputs, float* block) { ComputeGradient(task, inputs, parts, block); },
      gradient, parts.of_update, squares + units.first);
}

void SparseLayerStep::Update(int task, const UpdatePlan& plan, float* gradient, float scale) {
  update_.Apply(UnitsOf(task), plan, gradient, scale);
  TransposeWeights(task, {.first = 0, .count = layer_.inputs}, plan.theta);
}

}  // namespace mlp

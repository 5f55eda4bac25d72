#include "core/train/sparse_inputs.h"

#include <algorithm>
#include <optional>

#include "core/nn/sparse_product_avx512.h"
#include "core/nn/tile_product_avx512.h"

namespace mlp {
namespace {

// Whole vectors, no more of them than there are units for.
int64_t PanelWidth(int64_t units) {
  constexpr int64_t kVector = 16;
  return std::min(kSparsePanel, (units + kVector - 1) / kVector * kVector);
}

PackedRows ByRow(const float* inputs, int64_t rows, int64_t columns) {
  SparseRows lists(rows, columns);
  for (int64_t i = 0; i < rows; ++i) {
    std::copy_n(inputs + i * columns, columns, lists.Dense(i));
    lists.Compress(i, columns);
  }
  return {lists, rows};
}

PackedRows ByColumn(const float* inputs, int64_t rows, int64_t columns) {
  SparseRows lists(columns, rows);
  Transpose({.from = inputs,
             .from_row = columns,
             .rows = rows,
             .columns = columns,
             .to = lists.Dense(0),
             .to_row = lists.stride()});
  for (int64_t j = 0; j < columns; ++j) lists.Compress(j, rows);
  return {lists, columns};
}

}  // namespace

bool SparseInputs::Pay(const MatrixF& features) {
  return Avx512TileKernel() != nullptr &&
         MostlyZeros(features.data(), features.rows(), features.cols());
}

SparseInputs::SparseInputs(const MatrixF& features, const RowBlocks& blocks,
                           const ParameterLayout::Layer& first_layer, ThreadPool& pool)
    : layer_(first_layer),
      weights_(first_layer.inputs, first_layer.outputs, PanelWidth(first_layer.outputs)) {
  std::vector<std::optional<Lists>> made(static_cast<size_t>(blocks.count()));
  pool.ParallelFor(blocks.count(), [&](int block, int) {
    const int64_t rows = blocks.rows(block);
    const float* const inputs = features.row(blocks.begin(block)).data();
    made[static_cast<size_t>(block)] = {.rows = rows,
                                        .by_row = ByRow(inputs, rows, layer_.inputs),
                                        .by_column = ByColumn(inputs, rows, layer_.inputs)};
  });
  for (std::optional<Lists>& lists : made) blocks_.push_back(*std::move(lists));
}

void SparseInputs::SetWeights(const float* theta, ThreadPool& pool) {
  biases_ = theta + layer_.biases;
  pool.ParallelFor(static_cast<int>(weights_.count()), [&](int panel, int) {
    Transpose({.from = theta + layer_.weights + panel * weights_.width() * layer_.inputs,
               .from_row = layer_.inputs,
               .rows = weights_.columns_of(panel),
               .columns = layer_.inputs,
               .to = weights_.row(panel, 0),
               .to_row = weights_.width()});
  });
}

void SparseInputs::Block::WeightedSums(float* z) {
  const Panels& weights = inputs_.weights_;
  for (int64_t panel = 0; panel < weights.count(); ++panel) {
    const int64_t first = panel * weights.width();
    alignas(64) float biases[kSparsePanel] = {};
    std::copy_n(inputs_.biases_ + first, weights.columns_of(panel), biases);
    MultiplySparse({.a = lists_.by_row.rows(),
                    .rows = lists_.rows,
                    .columns = weights.columns_of(panel),
                    .b = weights.row(panel, 0),
                    .b_row = weights.width(),
                    .start = biases,
                    .c = z + first,
                    .c_row = weights.columns()});
  }
}

void SparseInputs::Block::WeightGradient(const float* delta, float* gradient) {
  const Panels& weights = inputs_.weights_;
  const int64_t width = weights.width();
  const int64_t inputs = inputs_.layer_.inputs;
  float* const panel_delta = scratch_.Take((lists_.rows + 2 * inputs) * width);
  float* const transposed = panel_delta + lists_.rows * width;
  float* const by_unit = transposed + inputs * width;
  for (int64_t panel = 0; panel < weights.count(); ++panel) {
    const int64_t first = panel * width;
    const int64_t units = weights.columns_of(panel);
    for (int64_t i = 0; i < lists_.rows; ++i) {
      std::copy_n(delta + i * weights.columns() + first, units, panel_delta + i * width);
    }
    MultiplySparse({.a = lists_.by_column.rows(),
                    .rows = inputs,
                    .columns = units,
                    .b = panel_delta,
                    .b_row = width,
                    .start = nullptr,
                    .c = transposed,
                    .c_row = width});
    // Whole vectors, also of units that there are not.
    Transpose({.from = transposed,
               .from_row = width,
               .rows = inputs,
               .columns = width,
               .to = by_unit,
               .to_row = inputs});
    std::copy_n(by_unit, units * inputs, gradient + first * inputs);
  }
}

}  // namespace mlp

#include "core/train/sparse_inputs.h"

#include <algorithm>

#include "core/nn/sparse_product_avx512.h"
#include "core/nn/tile_product_avx512.h"

namespace mlp {
namespace {

// Whole vectors, no more of them than there are units for.
int64_t PanelWidth(int64_t units) {
  constexpr int64_t kVector = 16;
  return std::min(kSparsePanel, (units + kVector - 1) / kVector * kVector);
}

}  // namespace

InputLists InputListMaker::Make(const float* values, int64_t rows) {
  for (int64_t i = 0; i < rows; ++i) {
    std::copy_n(values + i * inputs_, inputs_, by_row_.Dense(i));
    by_row_.Compress(i, inputs_);
  }
  Transpose({.from = values,
             .from_row = inputs_,
             .rows = rows,
             .columns = inputs_,
             .to = by_column_.Dense(0),
             .to_row = by_column_.stride()});
  for (int64_t j = 0; j < inputs_; ++j) by_column_.Compress(j, rows);
  return {.rows = rows, .by_row = by_row_.from(0), .by_column = by_column_.from(0)};
}

bool SparseInputs::IsSupported() { return Avx512TileKernel() != nullptr; }

SparseInputs::SparseInputs(const ParameterLayout::Layer& first_layer)
    : layer_(first_layer),
      weights_(first_layer.inputs, first_layer.outputs, PanelWidth(first_layer.outputs)) {}

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

int64_t SparseInputs::ScratchFloats(int64_t rows) const {
  return (rows + 2 * layer_.inputs) * weights_.width();
}

void SparseInputs::Block::WeightedSums(float* z) {
  const Panels& weights = inputs_.weights_;
  for (int64_t panel = 0; panel < weights.count(); ++panel) {
    const int64_t first = panel * weights.width();
    alignas(64) float biases[kSparsePanel] = {};
    std::copy_n(inputs_.biases_ + first, weights.columns_of(panel), biases);
    MultiplySparse({.a = lists_.by_row,
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
  float* const panel_delta = scratch_.Take(inputs_.ScratchFloats(lists_.rows));
  float* const transposed = panel_delta + lists_.rows * width;
  float* const by_unit = transposed + inputs * width;
  for (int64_t panel = 0; panel < weights.count(); ++panel) {
    const int64_t first = panel * width;
    const int64_t units = weights.columns_of(panel);
    for (int64_t i = 0; i < lists_.rows; ++i) {
      std::copy_n(delta + i * weights.columns() + first, units, panel_delta + i * width);
    }
    MultiplySparse({.a = lists_.by_column,
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

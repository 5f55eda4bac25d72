// The first layer's step on a batch most of whose inputs are 0, such as images: only what is not 0
// is multiplied. Same bits as DenseLayerStep's; MiniBatchStep chooses by batch.
//
// Layouts, for N rows of the batch, in -> out units, cut into panels of kSparsePanel units:
//   forward    Z [N x panel] = X [N x in] transpose(W) [in x panel] + b
//   gradient   transpose(dW) [in x panel] = transpose(X) [in x N] transpose(delta) [N x panel]
// X comes as lists by row and by column of what is not 0, and rows of the other factor are whole
// vectors. For that the layer's weights live transposed from the first such step to Store.
#pragma once

#include <cstdint>

#include "core/nn/network.h"
#include "core/nn/sparse_rows.h"
#include "core/nn/tile_product.h"
#include "core/optim/optimizer.h"
#include "core/train/layer_step.h"
#include "core/train/transposed_layer.h"

namespace mlp {

// A step is Pays, Begin, all Load tasks, forward, update.
class SparseLayerStep : public LayerStep {
 public:
  // Whether it gives the bits of DenseLayerStep with `kernel`, and this CPU can do it.
  static bool Supports(const TileKernel& kernel);

  // `units` as DenseLayerStep's; `panel` is that of the layers' values; `optimizer` says what is
  // remembered of the weights.
  SparseLayerStep(const ParameterLayout::Layer& layer, const LayerSpec* units,
                  const OptimizerOptions& optimizer, int64_t panel);

  // Floats that a task needs of scratch.
  static int64_t ScratchFloats(int64_t most_rows, int64_t panel);
  // Bytes that it holds, without scratch.
  static int64_t Bytes(const ParameterLayout::Layer& layer, const OptimizerOptions& optimizer);

  // Whether it is faster than DenseLayerStep with inputs [rows x in] row-major and `dropout` of
  // them, by a sample of the rows.
  bool Pays(const float* inputs, int64_t rows, const Dropout& dropout) const;

  // The weights are taken from `state` unless they are here already.
  void Begin(int64_t rows, const MiniBatchState& state);
  int LoadTasks() const;
  void Load(int task, const float* inputs, const Dropout& dropout, const MiniBatchState& state);

  // Inputs loaded that are not 0.
  int64_t non_zeros() const;

  // Gives the weights back. A store is all StoreTasks, none if they are not here, and StoreDone.
  int StoreTasks() const { return holder_ == nullptr ? 0 : weights_.panels(); }
  void Store(int task, MiniBatchState& state) const;
  void StoreDone() { holder_ = nullptr; }

  // `below` is not looked at: the inputs are those loaded.
  int ForwardTasks(int64_t rows) const override;
  void Forward(int task, const float* theta, const LayerValues& below, const Dropout& dropout,
               LayerValues& above, TileScratch& scratch) const override;
  int UpdateTasks() const override { return weights_.panels(); }
  void GradientAndUpdate(int task, const LayerValues& above, const LayerValues& below,
                         const UpdatePlan& plan, TileScratch& scratch, double* squares) override;
  void Gradient(int task, const LayerValues& above, const LayerValues& below,
                const UpdatePlan& plan, float* gradient, TileScratch& scratch,
                double* squares) override;
  void Update(int task, const UpdatePlan& plan, float* gradient, float scale,
              TileScratch& scratch) override;

 private:
  // What a task makes its gradient in.
  struct GradientScratch {
    float* gradient;  // [kInputsAtOnce x kSparsePanel]; then of the biases
    float* lanes;     // [kSquareLanes x kSparsePanel]
    float* delta;     // [rows x kSparsePanel]
  };

  UnitRange UnitsOf(int task) const;
  int64_t PanelsPerTask(int64_t rows) const;
  int RowTasks() const;
  int ColumnTasks() const;
  void LoadRows(int task, const float* inputs, const Dropout& dropout);
  void LoadColumns(int task, const float* inputs, const Dropout& dropout);
  // With the panel's deltas in it, and lanes of 0.
  GradientScratch Prepare(int panel, const Panels& delta, TileScratch& scratch) const;
  // Of some inputs, with penalties, at block.gradient.
  void ComputeGradient(int panel, const InputRange& inputs, const PenaltyOptions& penalties,
                       const ParameterBlock& block, const GradientScratch& scratch) const;
  // Calls visit(inputs, their weights), kInputsAtOnce at a time.
  template <typename Visit>
  void ForEachBlock(int panel, const Visit& visit);
  void LimitNorms(int panel, const UpdatePlan& plan, float* lanes);

  const ParameterLayout::Layer layer_;
  const LayerSpec* const units_;
  const int64_t panel_;
  const LayerUpdate update_;
  TransposedLayer weights_;
  const float* holder_ = nullptr;  // Theta of the state whose weights these are; null: of none
  SparseRows by_row_;              // the inputs [rows x in]
  SparseRows by_column_;           // [in x rows]
  // Of the step that is made.
  int64_t rows_ = 0;
  bool loads_weights_ = true;
};

}  // namespace mlp

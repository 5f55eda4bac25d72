// The first layer's step on a batch most of whose inputs are 0, such as images: only what is not 0
// is multiplied. Same bits as DenseLayerStep's; MiniBatchStep chooses by batch.
//
// Layouts, for N rows of the batch, in -> out units, cut into panels of kSparsePanel units:
//   forward    Z [N x panel] = X [N x in] transpose(W) [in x panel] + b
//   gradient   transpose(dW) [in x panel] = transpose(X) [in x N] transpose(delta) [N x panel]
// X comes as lists by row and by column of what is not 0, and rows of the other factor are whole
// vectors. For that the layer's weights are kept transposed too, beside Theta.
#pragma once

#include <cstdint>

#include "core/nn/network.h"
#include "core/nn/sparse_rows.h"
#include "core/nn/tile_product.h"
#include "core/train/layer_step.h"

namespace mlp {

// Which Theta it is: where it lies, and after how many steps.
struct ThetaVersion {
  const float* theta = nullptr;
  int64_t steps = -1;

  bool operator==(const ThetaVersion&) const = default;
};

// A step is Pays, Begin, all Load tasks, forward, update, End.
class SparseLayerStep : public LayerStep {
 public:
  // Whether it gives the bits of DenseLayerStep with `kernel`, and this CPU can do it.
  static bool Supports(const TileKernel& kernel);

  // `units` as DenseLayerStep's; `panel` is that of the layers' values.
  SparseLayerStep(const ParameterLayout::Layer& layer, const LayerSpec* units, int64_t most_rows,
                  int64_t panel);

  // Floats that a task needs of scratch.
  static int64_t ScratchFloats(int64_t most_rows, int64_t panel);
  // Bytes that it holds, without scratch.
  static int64_t Bytes(const ParameterLayout::Layer& layer, int64_t most_rows);

  // Whether it is faster than DenseLayerStep with inputs [rows x in] row-major and `dropout` of
  // them, by a sample of the rows.
  bool Pays(const float* inputs, int64_t rows, const Dropout& dropout) const;

  // Weights that are not those that End was told of are transposed anew, by Load tasks.
  void Begin(int64_t rows, const ThetaVersion& version);
  int LoadTasks() const;
  void Load(int task, const float* inputs, const Dropout& dropout, const float* theta);
  void End(const ThetaVersion& version) { transposed_ = version; }

  // `below` is not looked at: the inputs are those loaded.
  int ForwardTasks(int64_t rows) const override;
  void Forward(int task, const float* theta, const LayerValues& below, const Dropout& dropout,
               LayerValues& above, TileScratch& scratch) const override;
  int UpdateTasks() const override { return static_cast<int>(weights_.count()); }
  void GradientAndUpdate(int task, const LayerValues& above, const LayerValues& below,
                         const UpdatePlan& plan, TileScratch& scratch, double* squares) override;
  void Gradient(int task, const LayerValues& above, const LayerValues& below,
                const UpdatePlan& plan, float* gradient, TileScratch& scratch,
                double* squares) const override;
  void Update(int task, const UpdatePlan& plan, float* gradient, float scale) override;

 private:
  // What a task makes its gradient in.
  struct GradientScratch {
    float* of_update;   // LayerUpdate's
    float* delta;       // [rows x kSparsePanel]
    float* transposed;  // [panel x kSparsePanel]
  };

  UnitRange UnitsOf(int task) const;
  int64_t PanelsPerTask(int64_t rows) const;
  int RowTasks() const;
  int ColumnTasks() const;
  void LoadRows(int task, const float* inputs, const Dropout& dropout);
  void LoadColumns(int task, const float* inputs, const Dropout& dropout);
  // Of a panel of units.
  void TransposeWeights(int panel, const InputRange& inputs, const float* theta);
  // With the panel's deltas in it.
  GradientScratch Prepare(int panel, const Panels& delta, TileScratch& scratch) const;
  void ComputeGradient(int panel, const InputRange& inputs, const GradientScratch& scratch,
                       float* gradient) const;

  const ParameterLayout::Layer layer_;
  const LayerSpec* const units_;
  const int64_t panel_;
  const LayerUpdate update_;
  Panels weights_;           // transpose(W) [in x out]
  ThetaVersion transposed_;  // what weights_ are of
  SparseRows by_row_;        // the inputs [rows x in]
  SparseRows by_column_;     // [in x rows]
  // Of the step that is made.
  int64_t rows_ = 0;
  bool weights_are_old_ = true;
};

}  // namespace mlp

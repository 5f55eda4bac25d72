// What one layer of units holds during a step of mini-batch training. The products want it in two
// layouts.
#pragma once

#include <cstdint>

#include "core/nn/dropout.h"
#include "core/nn/panels.h"

namespace mlp {

// Of `units` units for a batch of rows. Thread-safe where threads work on different places.
class LayerValues {
 public:
  // `panel` is TileKernel::panel. The inputs of a network have no deltas.
  LayerValues(int64_t units, int64_t most_rows, int64_t panel, bool has_delta);

  void Resize(int64_t rows);
  int64_t units() const { return by_unit.rows(); }
  int64_t rows() const { return by_unit.columns(); }

  // Tasks, one for each panel of units. Copy fills by_row and by_unit from `inputs` [rows x units]
  // row-major; Transpose fills by_row from by_unit.
  int tasks() const { return static_cast<int>(by_row.count()); }
  void Copy(int task, const float* inputs, const Dropout& dropout);
  void Transpose(int task);

  static int64_t Bytes(int64_t units, int64_t most_rows, int64_t panel, bool has_delta);

  Panels by_unit;  // activations [units x rows]
  Panels by_row;   // the same [rows x units]
  Panels delta;    // dJ/dz [units x rows]

 private:
  // Calls visit(panel of rows, first row, rows).
  template <typename Visit>
  void ForEachRowPanel(const Visit& visit) const;
};

}  // namespace mlp

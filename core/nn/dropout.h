// Which units a training step leaves out (Srivastava et al., "Dropout", 2014), inverted: those that
// stay are scaled up at once, so that the network is used as it is.
#pragma once

#include <cstdint>

namespace mlp {

// The units of one layer in one step. A unit's fate for an example depends on (seed, step, layer,
// unit, row of the batch) alone: a counter-based generator, so that any thread can draw any part of
// it, again where it must. Immutable, thread-safe.
class Dropout {
 public:
  // `share` of the units, in [0, 1), is left out. Layer 0 is the inputs.
  Dropout(double share, int64_t seed, int64_t step, int64_t layer);

  bool enabled() const { return share_ > 0.0; }
  // What those that stay are multiplied by: 1 / (1 - share).
  float scale() const { return scale_; }

  // Multiplies values [rows x units], rows `stride` apart, by scale() or by 0. The first is that of
  // `row` and `unit`.
  void ApplyToRows(int64_t row, int64_t rows, int64_t unit, int64_t units, float* values,
                   int64_t stride) const;
  // The same of values [units x rows], units `stride` apart.
  void ApplyToUnits(int64_t unit, int64_t units, int64_t row, int64_t rows, float* values,
                    int64_t stride) const;

 private:
  const double share_;
  const float scale_;
  const uint32_t threshold_;  // a draw below it leaves out
  uint32_t unit_key_;
  uint32_t row_key_;
};

}  // namespace mlp

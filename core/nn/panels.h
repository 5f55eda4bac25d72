// Matrices cut into panels: as many columns as a TileKernel takes at a time, whole, one panel
// behind the other in memory. The operands and results of TileProduct.
#pragma once

#include <cstdint>

#include "core/nn/propagation_scratch.h"

namespace mlp {

// [rows x columns] as [panels][rows][width], the last panel filled up with columns that mean
// nothing. Thread-safe where threads write different places.
class Panels {
 public:
  // Room for at most so many; all of it is 0.
  Panels(int64_t most_rows, int64_t most_columns, int64_t width);
  Panels(Panels&&) = default;

  // Makes it a matrix of this shape, of undefined values. Keeps the memory.
  void Resize(int64_t rows, int64_t columns) {
    rows_ = rows;
    columns_ = columns;
  }

  int64_t rows() const { return rows_; }
  int64_t columns() const { return columns_; }
  int64_t width() const { return width_; }
  int64_t count() const { return (columns_ + width_ - 1) / width_; }
  // Columns of a panel that mean something.
  int64_t columns_of(int64_t panel) const {
    const int64_t left = columns_ - panel * width_;
    return left < width_ ? left : width_;
  }
  // Floats from a panel to the next.
  int64_t stride() const { return rows_ * width_; }

  float* row(int64_t panel, int64_t row) { return values_ + (panel * rows_ + row) * width_; }
  const float* row(int64_t panel, int64_t row) const {
    return values_ + (panel * rows_ + row) * width_;
  }

  // Bytes that a matrix of this size takes.
  static int64_t Bytes(int64_t rows, int64_t columns, int64_t width);

 private:
  PropagationScratch memory_;
  float* values_;
  int64_t rows_;
  int64_t columns_;
  int64_t width_;
};

// The same matrix transposed, or part of it: to [columns x rows] from [rows x columns], rows of
// either so many floats apart.
struct Transposition {
  const float* from;
  int64_t from_row;
  int64_t rows;
  int64_t columns;
  float* to;
  int64_t to_row;
};
void Transpose(const Transposition& transposition);

}  // namespace mlp

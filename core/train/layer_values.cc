#include "core/train/layer_values.h"

#include <algorithm>

namespace mlp {

LayerValues::LayerValues(int64_t units, int64_t most_rows, int64_t panel, bool has_delta)
    : by_unit(units, most_rows, panel),
      by_row(most_rows, units, panel),
      delta(has_delta ? units : 0, has_delta ? most_rows : 0, panel) {}

void LayerValues::Resize(int64_t rows) {
  by_unit.Resize(units(), rows);
  by_row.Resize(rows, units());
  delta.Resize(delta.rows(), rows);
}

template <typename Visit>
void LayerValues::ForEachRowPanel(const Visit& visit) const {
  for (int64_t p = 0; p < by_unit.count(); ++p) {
    visit(p, p * by_unit.width(), by_unit.columns_of(p));
  }
}

void LayerValues::Copy(int task, const float* inputs, const Dropout& dropout) {
  const int64_t width = by_row.width();
  const int64_t first = task * width;
  const int64_t count = by_row.columns_of(task);
  ForEachRowPanel([&](int64_t panel, int64_t row, int64_t rows) {
    float* block = by_row.row(task, row);
    for (int64_t i = 0; i < rows; ++i) {
      std::copy_n(inputs + (row + i) * units() + first, count, block + i * width);
    }
    if (dropout.enabled()) dropout.ApplyToRows(row, rows, first, count, block, width);
    mlp::Transpose({.from = block,
                    .from_row = width,
                    .rows = rows,
                    .columns = count,
                    .to = by_unit.row(panel, first),
                    .to_row = width});
  });
}

void LayerValues::Transpose(int task) {
  const int64_t width = by_row.width();
  const int64_t first = task * width;
  ForEachRowPanel([&](int64_t panel, int64_t row, int64_t rows) {
    mlp::Transpose({.from = by_unit.row(panel, first),
                    .from_row = width,
                    .rows = by_row.columns_of(task),
                    .columns = rows,
                    .to = by_row.row(task, row),
                    .to_row = width});
  });
}

int64_t LayerValues::Bytes(int64_t units, int64_t most_rows, int64_t panel, bool has_delta) {
  return (has_delta ? 2 : 1) * Panels::Bytes(units, most_rows, panel) +
         Panels::Bytes(most_rows, units, panel);
}

}  // namespace mlp

// The entries of a matrix that are not 0, as lists, one a row: what the sparse products go through
// (core/nn/sparse_product_avx512).
#pragma once

#include <cstdint>
#include <vector>

#include "core/nn/propagation_scratch.h"

namespace mlp {

// Of one row, in rising order of column.
struct SparseRow {
  const float* values;     // [count]
  const int32_t* columns;  // [count]
  int64_t count;
};

// Lists of fixed places, each with room for a whole row: rows can be made in any order, by any
// thread, and nothing is allocated. Thread-safe for different rows.
class SparseRows {
 public:
  SparseRows(int64_t most_rows, int64_t most_columns);

  // Where the caller puts a whole row, rows stride() apart, for Compress to leave out its zeros.
  float* Dense(int64_t row) { return values_ + row * stride_; }
  int64_t stride() const { return stride_; }
  // Of either sign; what is no number stays.
  void Compress(int64_t row, int64_t columns);

  // Of `row` and those behind it.
  const SparseRow* from(int64_t row) const { return rows_.data() + row; }

  static int64_t Bytes(int64_t most_rows, int64_t most_columns);

 private:
  const int64_t stride_;  // whole vectors
  PropagationScratch memory_;
  float* values_;
  std::vector<int32_t> columns_;
  std::vector<SparseRow> rows_;
};

// Copies of such lists without room to spare, to be kept. Immutable; thread-safe.
class PackedRows {
 public:
  // So many lists from `lists` on.
  PackedRows(const SparseRow* lists, int64_t rows);
  PackedRows(PackedRows&&) = default;  // a copy's rows would be the original's

  static int64_t Bytes(const SparseRow* lists, int64_t rows);

  const SparseRow* rows() const { return rows_.data(); }

 private:
  std::vector<float> values_;
  std::vector<int32_t> columns_;
  std::vector<SparseRow> rows_;
};

// Of either sign; what is no number counts.
int64_t CountNonZeros(const float* values, int64_t count);

// Whether lists are faster to multiply with than whole rows where so many of `all` are not 0.
bool FewEnoughForLists(int64_t non_zeros, int64_t all);

// The same for a matrix [rows x columns], of which a share of 1 - `share` will be made 0 yet; by a
// sample of the rows.
bool MostlyZeros(const float* values, int64_t rows, int64_t columns, double share = 1.0);

}  // namespace mlp

#include "core/nn/sparse_rows.h"

#include <algorithm>

#include <absl/types/span.h>

#include "core/nn/avx512.h"

namespace mlp {
namespace {

// Rows start on cache lines, and vectors may be written whole.
constexpr int64_t kVector = 16;

// Above it whole products are faster, which make three multiplications in the time of one with
// lists: they load an operand once for fourteen.
constexpr double kMostNonZeros = 0.3;
// Rows of which one is looked at to know.
constexpr int64_t kRowsPerSample = 16;

int64_t StrideOf(int64_t columns) { return (columns + kVector - 1) / kVector * kVector; }

// In place: values [count] become those that are not 0. Returns how many.
int64_t CompressPlainly(float* values, int64_t first, int64_t count, int64_t kept,
                        int32_t* columns) {
  for (int64_t j = first; j < count; ++j) {
    const float value = values[j];
    if (value == 0.0f) continue;
    values[kept] = value;
    columns[kept++] = static_cast<int32_t>(j);
  }
  return kept;
}

#if defined(MLP_HAS_AVX512)

// Whole vectors are written, of which the next write covers what was not kept: behind what was
// read there is nothing to lose. (Stores that compress by themselves take ten times as long.)
MLP_AVX512 int64_t CompressByVectors(float* values, int64_t count, int32_t* columns) {
  const __m512 zero = _mm512_setzero_ps();
  const __m512i step = _mm512_set1_epi32(static_cast<int>(kLanes));
  __m512i numbers = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  int64_t kept = 0;
  int64_t j = 0;
  for (; j + kLanes <= count; j += kLanes) {
    const __m512 vector = _mm512_loadu_ps(values + j);
    const __mmask16 mask = _mm512_cmp_ps_mask(vector, zero, _CMP_NEQ_UQ);
    _mm512_storeu_ps(values + kept, _mm512_maskz_compress_ps(mask, vector));
    _mm512_storeu_si512(columns + kept, _mm512_maskz_compress_epi32(mask, numbers));
    kept += __builtin_popcount(mask);
    numbers = _mm512_add_epi32(numbers, step);
  }
  return CompressPlainly(values, j, count, kept, columns);
}

#endif

}  // namespace

SparseRows::SparseRows(int64_t most_rows, int64_t most_columns)
    : stride_(StrideOf(most_columns)),
      values_(memory_.Take(most_rows * stride_)),
      columns_(static_cast<size_t>(most_rows * stride_)),
      rows_(static_cast<size_t>(most_rows)) {}

void SparseRows::Compress(int64_t row, int64_t columns) {
  float* const values = Dense(row);
  int32_t* const numbers = columns_.data() + row * stride_;
  SparseRow& list = rows_[static_cast<size_t>(row)];
  list = {.values = values, .columns = numbers, .count = 0};
#if defined(MLP_HAS_AVX512)
  if (HasAvx512()) {
    list.count = CompressByVectors(values, columns, numbers);
    return;
  }
#endif
  list.count = CompressPlainly(values, 0, columns, 0, numbers);
}

int64_t SparseRows::Bytes(int64_t most_rows, int64_t most_columns) {
  return most_rows *
         (StrideOf(most_columns) * static_cast<int64_t>(sizeof(float) + sizeof(int32_t)) +
          static_cast<int64_t>(sizeof(SparseRow)));
}

PackedRows::PackedRows(const SparseRow* lists, int64_t rows) {
  const absl::Span<const SparseRow> all(lists, static_cast<size_t>(rows));
  size_t entries = 0;
  for (const SparseRow& row : all) entries += static_cast<size_t>(row.count);
  // Their memory does not move from here on.
  values_.reserve(entries);
  columns_.reserve(entries);
  rows_.reserve(all.size());
  for (const SparseRow& row : all) {
    rows_.push_back({.values = values_.data() + values_.size(),
                     .columns = columns_.data() + columns_.size(),
                     .count = row.count});
    values_.insert(values_.end(), row.values, row.values + row.count);
    columns_.insert(columns_.end(), row.columns, row.columns + row.count);
  }
}

int64_t PackedRows::Bytes(const SparseRow* lists, int64_t rows) {
  int64_t entries = 0;
  for (int64_t i = 0; i < rows; ++i) entries += lists[i].count;
  return entries * static_cast<int64_t>(sizeof(float) + sizeof(int32_t)) +
         rows * static_cast<int64_t>(sizeof(SparseRow));
}

int64_t CountNonZeros(const float* values, int64_t count) {
  return count - std::count(values, values + count, 0.0f);
}

bool FewEnoughForLists(int64_t non_zeros, int64_t all) {
  return static_cast<double>(non_zeros) < kMostNonZeros * static_cast<double>(all);
}

bool MostlyZeros(const float* values, int64_t rows, int64_t columns, double share) {
  int64_t seen = 0, non_zeros = 0;
  for (int64_t i = 0; i < rows; i += kRowsPerSample, seen += columns) {
    non_zeros += CountNonZeros(values + i * columns, columns);
  }
  return share * static_cast<double>(non_zeros) < kMostNonZeros * static_cast<double>(seen);
}

}  // namespace mlp

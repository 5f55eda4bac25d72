#include "core/nn/panels.h"

#include <algorithm>

#include "core/nn/avx512.h"

namespace mlp {
namespace {

// The part from a row and a column on.
void TransposePlainly(const Transposition& t, int64_t row, int64_t column) {
  for (int64_t i = row; i < t.rows; ++i) {
    for (int64_t j = column; j < t.columns; ++j)
      t.to[j * t.to_row + i] = t.from[i * t.from_row + j];
  }
}

#if defined(MLP_HAS_AVX512)

// 16 x 16, in four rounds that each exchange halves: pairs of single floats, of two, four and
// eight.
MLP_AVX512 void TransposeBlock(const float* from, int64_t from_row, float* to, int64_t to_row) {
  __m512 a[16], b[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) a[i] = _mm512_loadu_ps(from + i * from_row);
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    b[i] = _mm512_unpacklo_ps(a[i], a[i + 1]);
    b[i + 1] = _mm512_unpackhi_ps(a[i], a[i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
#pragma GCC unroll 2
    for (int j = 0; j < 2; ++j) {
      const __m512d low = _mm512_castps_pd(b[i + j]);
      const __m512d high = _mm512_castps_pd(b[i + j + 2]);
      a[i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, high));
      a[i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, high));
    }
  }
  // Now a[4 g + c] holds columns c, c + 4, c + 8, c + 12 of rows 4 g to 4 g + 3.
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    b[c] = _mm512_shuffle_f32x4(a[c], a[c + 4], 0x88);
    b[c + 4] = _mm512_shuffle_f32x4(a[c], a[c + 4], 0xDD);
    b[c + 8] = _mm512_shuffle_f32x4(a[c + 8], a[c + 12], 0x88);
    b[c + 12] = _mm512_shuffle_f32x4(a[c + 8], a[c + 12], 0xDD);
  }
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    _mm512_storeu_ps(to + c * to_row, _mm512_shuffle_f32x4(b[c], b[c + 8], 0x88));
    _mm512_storeu_ps(to + (c + 8) * to_row, _mm512_shuffle_f32x4(b[c], b[c + 8], 0xDD));
    _mm512_storeu_ps(to + (c + 4) * to_row, _mm512_shuffle_f32x4(b[c + 4], b[c + 12], 0x88));
    _mm512_storeu_ps(to + (c + 12) * to_row, _mm512_shuffle_f32x4(b[c + 4], b[c + 12], 0xDD));
  }
}

#endif

}  // namespace

Panels::Panels(int64_t most_rows, int64_t most_columns, int64_t width)
    : rows_(most_rows), columns_(most_columns), width_(width) {
  const int64_t floats = count() * stride();
  values_ = memory_.Take(floats);
  std::fill_n(values_, floats, 0.0f);
}

int64_t Panels::Bytes(int64_t rows, int64_t columns, int64_t width) {
  return rows * ((columns + width - 1) / width * width) * static_cast<int64_t>(sizeof(float));
}

void Transpose(const Transposition& t) {
#if defined(MLP_HAS_AVX512)
  if (HasAvx512()) {
    constexpr int64_t kBlock = 16;
    const int64_t rows = t.rows / kBlock * kBlock;
    const int64_t columns = t.columns / kBlock * kBlock;
    for (int64_t i = 0; i < rows; i += kBlock) {
      for (int64_t j = 0; j < columns; j += kBlock) {
        TransposeBlock(t.from + i * t.from_row + j, t.from_row, t.to + j * t.to_row + i, t.to_row);
      }
    }
    Transposition above = t;
    above.rows = rows;
    TransposePlainly(above, 0, columns);
    TransposePlainly(t, rows, 0);
    return;
  }
#endif
  TransposePlainly(t, 0, 0);
}

}  // namespace mlp

#include "core/nn/weighted_sums_avx512.h"

#include <algorithm>
#include <cassert>

#include "core/nn/avx512.h"

#if defined(MLP_HAS_AVX512)

namespace mlp {
namespace {

// One weighted sum is computed in 16 lanes, of which lane l adds up the products of the inputs l, l
// + 16, l + 32, ... in that order, and the lanes are then added as a tree: l and l + 8, l and l +
// 4, l and l + 2, the last two. After kDepth inputs (a slice) the sum so far, with the bias, goes
// to memory and the lanes start anew. Every function here keeps to this order, and nothing in it
// depends on the rows and units that are computed together.
// A tile of 4 rows x 6 units has 24 registers of lanes; with 6 of weights and 1 of inputs that is
// all but one of the 32, and 10 loads feed 24 multiplications.
constexpr int kTileRows = 4;
constexpr int kTileUnits = 6;
// A single row has no use for tiles: 8 units at a time.
constexpr int kRowUnits = 8;
// A slice of 6 units' weights (24 KiB) stays in the L1 cache, that of 64 rows (256 KiB) in L2.
constexpr int64_t kDepth = 1024;
constexpr int64_t kBlockRows = 64;

int64_t DivideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }

MLP_AVX512_INLINE __mmask16 FirstLanes(int64_t count) {
  return static_cast<__mmask16>((1u << count) - 1u);
}

// Sums of l and l + 8: a's in the lower half, b's in the upper.
MLP_AVX512_INLINE __m512 AddHalves(__m512 a, __m512 b) {
  return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xEE));
}

// Of two results of AddHalves: sums of l and l + 4, a quarter of the register for each of the four.
MLP_AVX512_INLINE __m512 AddQuarters(__m512 ab, __m512 cd) {
  return _mm512_add_ps(_mm512_shuffle_f32x4(ab, cd, 0x88), _mm512_shuffle_f32x4(ab, cd, 0xDD));
}

// In each quarter the sums of l and l + 2 of a and b, in turn.
MLP_AVX512_INLINE __m512 AddPairs(__m512 a, __m512 b) {
  return _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
}

struct TileArguments {
  const float* inputs;
  int64_t inputs_stride;
  const float* weights;
  int64_t weights_stride;
  int64_t depth;
  // What the products are added to: the biases for the first slice, otherwise the sums so far.
  const float* start;
  int64_t start_stride;
  float* sums;
  int64_t sums_stride;
};

// acc[i][j] += inputs of row i * weights of unit j, for the lanes of `mask` from `offset` on.
template <int kRows, int kUnits, bool kMasked>
MLP_AVX512_INLINE void MultiplyAdd(const TileArguments& t, int64_t offset, __mmask16 mask,
                                   __m512 (&acc)[kRows][kUnits]) {
  __m512 weights[kUnits];
#pragma GCC unroll 8
  for (int j = 0; j < kUnits; ++j) {
    const float* from = t.weights + j * t.weights_stride + offset;
    weights[j] = kMasked ? _mm512_maskz_loadu_ps(mask, from) : _mm512_loadu_ps(from);
  }
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
    const float* from = t.inputs + i * t.inputs_stride + offset;
    const __m512 inputs = kMasked ? _mm512_maskz_loadu_ps(mask, from) : _mm512_loadu_ps(from);
#pragma GCC unroll 8
    for (int j = 0; j < kUnits; ++j) acc[i][j] = _mm512_fmadd_ps(inputs, weights[j], acc[i][j]);
  }
}

template <int kRows, int kUnits>
MLP_AVX512_INLINE void MultiplyAll(const TileArguments& t, __m512 (&acc)[kRows][kUnits]) {
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < kUnits; ++j) acc[i][j] = _mm512_setzero_ps();
  }
  int64_t offset = 0;
  for (; offset + kLanes <= t.depth; offset += kLanes) {
    MultiplyAdd<kRows, kUnits, false>(t, offset, 0, acc);
  }
  if (offset < t.depth) {
    MultiplyAdd<kRows, kUnits, true>(t, offset, FirstLanes(t.depth - offset), acc);
  }
}

template <int kRows, int kUnits>
MLP_AVX512 void Tile(const TileArguments& t) {
  __m512 acc[kRows][kUnits];
  MultiplyAll<kRows, kUnits>(t, acc);

  // A unit's four rows in the four quarters of one register.
  const __m512 zero = _mm512_setzero_ps();
  __m512 quarters[8];
#pragma GCC unroll 8
  for (int j = 0; j < 8; ++j) {
    if (j < kUnits) {
      const __m512 c = kRows > 2 ? acc[2 % kRows][j] : zero;
      const __m512 d = kRows > 3 ? acc[3 % kRows][j] : zero;
      quarters[j] = AddQuarters(AddHalves(acc[0][j], acc[1][j]), AddHalves(c, d));
    } else {
      quarters[j] = zero;
    }
  }
#pragma GCC unroll 2
  for (int j = 0; j < kUnits; j += 4) {
    // Four units of a row in each quarter.
    const __m512d ab = _mm512_castps_pd(AddPairs(quarters[j], quarters[j + 1]));
    const __m512d cd = _mm512_castps_pd(AddPairs(quarters[j + 2], quarters[j + 3]));
    const __m512 sums = _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(ab, cd)),
                                      _mm512_castpd_ps(_mm512_unpackhi_pd(ab, cd)));
    const __m512 of_row[4] = {sums, _mm512_shuffle_f32x4(sums, sums, 1),
                              _mm512_shuffle_f32x4(sums, sums, 2),
                              _mm512_shuffle_f32x4(sums, sums, 3)};
    const __mmask16 mask = FirstLanes(std::min(kUnits - j, 4));
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) {
      const __m512 start = _mm512_maskz_loadu_ps(mask, t.start + i * t.start_stride + j);
      _mm512_mask_storeu_ps(t.sums + i * t.sums_stride + j, mask, _mm512_add_ps(start, of_row[i]));
    }
  }
}

template <int kUnits>
MLP_AVX512 void RowTile(const TileArguments& t) {
  __m512 acc[1][kUnits];
  MultiplyAll<1, kUnits>(t, acc);

  const __m512 zero = _mm512_setzero_ps();
  __m512 halves[4];
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    halves[j] = 2 * j < kUnits ? AddHalves(acc[0][2 * j % kUnits],
                                           2 * j + 1 < kUnits ? acc[0][(2 * j + 1) % kUnits] : zero)
                               : zero;
  }
  const __m512 pairs =
      AddPairs(AddQuarters(halves[0], halves[1]), AddQuarters(halves[2], halves[3]));
  const __m512 swapped = _mm512_permute_ps(pairs, 0x4E);
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 0, 0, 0, 0, 0, 0, 0, 0);
  const __m512 sums = _mm512_permutexvar_ps(order, _mm512_add_ps(pairs, swapped));
  const __mmask16 mask = FirstLanes(kUnits);
  const __m512 start = _mm512_maskz_loadu_ps(mask, t.start);
  _mm512_mask_storeu_ps(t.sums, mask, _mm512_add_ps(start, sums));
}

using TileFunction = void (*)(const TileArguments&);
// By rows - 2 and units - 1. No tile of several rows is cut to a single one.
constexpr TileFunction kTiles[kTileRows - 1][kTileUnits] = {
    {Tile<2, 1>, Tile<2, 2>, Tile<2, 3>, Tile<2, 4>, Tile<2, 5>, Tile<2, 6>},
    {Tile<3, 1>, Tile<3, 2>, Tile<3, 3>, Tile<3, 4>, Tile<3, 5>, Tile<3, 6>},
    {Tile<4, 1>, Tile<4, 2>, Tile<4, 3>, Tile<4, 4>, Tile<4, 5>, Tile<4, 6>}};
constexpr TileFunction kRowTiles[kRowUnits] = {RowTile<1>, RowTile<2>, RowTile<3>, RowTile<4>,
                                               RowTile<5>, RowTile<6>, RowTile<7>, RowTile<8>};

// Part of a row-major matrix. Loads that cross a cache line cost twice, so parts that are read more
// than once are copied to where none does.
struct Part {
  const float* values;
  int64_t stride;

  bool IsAligned() const {
    return reinterpret_cast<uintptr_t>(values) % (kLanes * sizeof(float)) == 0 &&
           stride % kLanes == 0;
  }
};

MLP_AVX512 Part CopyAligned(const Part& part, int64_t rows, int64_t depth, float* to) {
  const int64_t stride = DivideUp(depth, kLanes) * kLanes;
  for (int64_t i = 0; i < rows; ++i) {
    const float* from = part.values + i * part.stride;
    int64_t offset = 0;
    for (; offset + kLanes <= depth; offset += kLanes) {
      _mm512_store_ps(to + i * stride + offset, _mm512_loadu_ps(from + offset));
    }
    for (; offset < depth; ++offset) to[i * stride + offset] = from[offset];
  }
  return {to, stride};
}

// Rows of weights on their way from memory to the L2 cache, piece by piece, while others are
// multiplied: a wide layer's weights are larger than any cache, and a block of 64 rows computes
// with them for about as long as it takes to fetch them.
class Prefetch {
 public:
  // Of `rows` rows, in so many pieces.
  Prefetch(const Part& part, int64_t rows, int64_t depth, int64_t pieces)
      : part_(part),
        depth_(depth),
        per_piece_(DivideUp(rows * depth, pieces)),
        left_(rows * depth) {}

  void NextPiece() {
    for (int64_t end = std::max<int64_t>(left_ - per_piece_, 0); left_ > end; left_ -= kLanes) {
      const int64_t at = left_ - 1;
      _mm_prefetch(part_.values + at / depth_ * part_.stride + at % depth_, _MM_HINT_T1);
    }
  }

 private:
  const Part part_;
  const int64_t depth_;
  const int64_t per_piece_;
  int64_t left_;
};

// Cut as evenly as can be, so that no small tile is left over.
int64_t Cut(int64_t count, int64_t pieces, int64_t index) { return count * index / pieces; }

// One slice of at most kDepth inputs, for at most kBlockRows rows.
void SumSlice(const TileArguments& slice, int64_t rows, int64_t units) {
  alignas(64) float aligned_inputs[kBlockRows * kDepth];
  alignas(64) float aligned_weights[kTileUnits * kDepth];
  const int64_t row_tiles = DivideUp(rows, kTileRows);
  const int64_t unit_tiles = DivideUp(units, rows == 1 ? kRowUnits : kTileUnits);
  Part inputs = {slice.inputs, slice.inputs_stride};
  // Below three uses the copy costs more than it saves.
  if (rows > 1 && unit_tiles >= 3 && !inputs.IsAligned()) {
    inputs = CopyAligned(inputs, rows, slice.depth, aligned_inputs);
  }
  for (int64_t u = 0; u < unit_tiles; ++u) {
    const int64_t j = Cut(units, unit_tiles, u);
    const int64_t tile_units = Cut(units, unit_tiles, u + 1) - j;
    Part weights = {slice.weights + j * slice.weights_stride, slice.weights_stride};
    if (row_tiles >= 3 && !weights.IsAligned()) {
      weights = CopyAligned(weights, tile_units, slice.depth, aligned_weights);
    }
    const int64_t next = Cut(units, unit_tiles, u + 1);
    Prefetch prefetch({slice.weights + next * slice.weights_stride, slice.weights_stride},
                      Cut(units, unit_tiles, u + 2) - next, slice.depth, row_tiles);
    for (int64_t r = 0; r < row_tiles; ++r) {
      if (row_tiles >= 3 && u + 1 < unit_tiles) prefetch.NextPiece();
      const int64_t i = Cut(rows, row_tiles, r);
      const int64_t tile_rows = Cut(rows, row_tiles, r + 1) - i;
      const TileFunction tile =
          rows == 1 ? kRowTiles[tile_units - 1] : kTiles[tile_rows - 2][tile_units - 1];
      tile({.inputs = inputs.values + i * inputs.stride,
            .inputs_stride = inputs.stride,
            .weights = weights.values,
            .weights_stride = weights.stride,
            .depth = slice.depth,
            .start = slice.start + i * slice.start_stride + j,
            .start_stride = slice.start_stride,
            .sums = slice.sums + i * slice.sums_stride + j,
            .sums_stride = slice.sums_stride});
    }
  }
}

}  // namespace

bool HasWeightedSumsAvx512() { return HasAvx512(); }

void WeightedSumsAvx512(const WeightedSumsArguments& a) {
  assert(HasWeightedSumsAvx512());
  const int64_t blocks = DivideUp(a.rows, kBlockRows);
  // A single row reads the weights once: in the order in which they lie in memory, and not slice by
  // slice.
  const int64_t parts = a.rows == 1 && a.features > kDepth ? DivideUp(a.units, kRowUnits) : 1;
  // Even slices, whole lanes but for the last.
  const int64_t depth =
      DivideUp(DivideUp(a.features, DivideUp(a.features, kDepth)), kLanes) * kLanes;
  for (int64_t index = 0; index < blocks * parts; ++index) {
    const int64_t row = Cut(a.rows, blocks, index / parts);
    const int64_t rows = Cut(a.rows, blocks, index / parts + 1) - row;
    const int64_t unit = Cut(a.units, parts, index % parts);
    const int64_t units = Cut(a.units, parts, index % parts + 1) - unit;
    float* sums = a.sums + row * a.sums_stride + unit;
    for (int64_t offset = 0; offset < a.features; offset += depth) {
      const bool is_first = offset == 0;
      SumSlice({.inputs = a.inputs + row * a.features + offset,
                .inputs_stride = a.features,
                .weights = a.weights + unit * a.features + offset,
                .weights_stride = a.features,
                .depth = std::min(depth, a.features - offset),
                .start = is_first ? a.biases + unit : sums,
                .start_stride = is_first ? 0 : a.sums_stride,
                .sums = sums,
                .sums_stride = a.sums_stride},
               rows, units);
    }
  }
}

}  // namespace mlp

#else

namespace mlp {

bool HasWeightedSumsAvx512() { return false; }
void WeightedSumsAvx512(const WeightedSumsArguments&) { assert(false); }

}  // namespace mlp

#endif

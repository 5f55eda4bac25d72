// The inner loops of augmentation, in the widest vectors that the CPU at hand has. Thread-safe.
//
// All of them work on groups of 16 values, and their additions and multiplications are never fused:
// the same bits on every CPU.
#pragma once

#include <cstdint>
#include <vector>

#include "core/data/dataset.h"

namespace mlp {

constexpr int kGroup = 16;

// 16 floats on a cache line of their own.
struct alignas(64) FloatGroup {
  float values[kGroup] = {};
};

// Images and fields as groups: `data` of a vector of them, and the groups that `values` take.
using FloatGroups = std::vector<FloatGroup>;
inline float* Data(FloatGroups& groups) { return groups.data()->values; }
constexpr int GroupsOf(int values) { return (values + kGroup - 1) / kGroup; }

// The state of 16 generators side by side.
struct alignas(64) NoiseState {
  uint32_t words[4][kGroup];
};

// Writes 16 * groups numbers in [-1, 1), multiples of 2^-23: for each group one number of every
// generator, xoshiro128++ (Blackman and Vigna 2021, ACM TOMS 47:4).
void FillUniform(NoiseState& state, int64_t groups, float* out);

// Smoothing of one field by column and row weights, symmetric about their middles.
struct Smoothing {
  int height = 0;
  int width = 0;
  int row_radius = 0;                     // at most width - 1
  int column_radius = 0;                  // at most height - 1
  const float* row_weights = nullptr;     // [2 row_radius + 1]
  const float* column_weights = nullptr;  // [2 column_radius + 1]

  // Floats from a row to the next, of input and output.
  int stride() const { return GroupsOf(width) * kGroup; }
  // Floats of the zeros on either side of a row.
  int margin() const { return GroupsOf(row_radius) * kGroup; }
};

// out[y][x] = sum over i and j of column_weights[i] row_weights[j] in[y + i][x + j], terms beyond
// the border being 0. `in`, `out` [height x stride]; columns from `width` on are of no meaning.
// `row` is memory of stride + 2 margin floats, all 0 before the first call.
void SmoothField(const Smoothing& smoothing, const float* in, float* row, float* out);

// Where an output pixel's value comes from: x' = xx x + xy y + x0 and y' = yx x + yy y + y0.
struct AffineMap {
  double xx = 1.0, xy = 0.0, x0 = 0.0;
  double yx = 0.0, yy = 1.0, y0 = 0.0;
};

// An image with a border of background: one pixel on the left and above, two on the right and
// below.
constexpr int kBorderBefore = 1;
constexpr int kBorder = 3;

// out[y][x] = `bordered` image, interpolated bilinearly at map(x, y) + (dx, dy)[y][x]; places
// outside the image are background. `bordered` [height + 3 x width + 3 x channels], `dx` and `dy`
// [height x stride of 16-float groups], `out` [height x width x channels].
void Resample(const ImageShape& shape, const float* bordered, const AffineMap& map, const float* dx,
              const float* dy, float* out);

}  // namespace mlp

#include "core/data/augmentation_kernels.h"

#include <algorithm>
#include <cstring>

#include "core/base/for_each_cpu.h"

namespace mlp {
namespace {

inline __attribute__((always_inline)) uint32_t RotateLeft(uint32_t x, int k) {
  return (x << k) | (x >> (32 - k));
}

// A vector by name: g++ turns the loops of WeightedSum around when the step is 1.
using Lanes = float __attribute__((vector_size(sizeof(FloatGroup))));

// sum[i] = sum over t of weights[t] from[t * step + i].
inline __attribute__((always_inline)) void WeightedSum(const float* weights, int terms,
                                                       const float* from, int64_t step,
                                                       float* sum) {
  Lanes total = {};
  for (int64_t t = 0; t < terms; ++t) {
    Lanes values;
    std::memcpy(&values, from + t * step, sizeof(values));
    total += weights[t] * values;
  }
  std::memcpy(sum, &total, sizeof(total));
}

inline __attribute__((always_inline)) float Clamp(float x, float low, float high) {
  const float raised = x < low ? low : x;
  return raised > high ? high : raised;
}

// Of the 16 pixels of one group: the value before each place in the bordered image, in pixels from
// its start, and how far the place lies beyond it, from 0 to 1.
struct Places {
  int32_t pixel[kGroup];
  float right[kGroup];
  float down[kGroup];
};

inline __attribute__((always_inline)) void FindPlaces(const ImageShape& shape, const AffineMap& map,
                                                      int x, int y, const float* dx,
                                                      const float* dy, Places& places) {
  const auto xx = static_cast<float>(map.xx);
  const auto yx = static_cast<float>(map.yx);
  const auto row_x = static_cast<float>(map.xy * y + map.x0 + kBorderBefore);
  const auto row_y = static_cast<float>(map.yy * y + map.y0 + kBorderBefore);
  // The first and the last place whose neighbours are all background.
  const auto last_x = static_cast<float>(shape.width + kBorderBefore);
  const auto last_y = static_cast<float>(shape.height + kBorderBefore);
  const int stride = shape.width + kBorder;
  for (int i = 0; i < kGroup; ++i) {
    const auto column = static_cast<float>(x + i);
    const float from_x = Clamp(xx * column + row_x + dx[i], 0.0f, last_x);
    const float from_y = Clamp(yx * column + row_y + dy[i], 0.0f, last_y);
    const auto left = static_cast<int32_t>(from_x);
    const auto top = static_cast<int32_t>(from_y);
    places.pixel[i] = top * stride + left;
    places.right[i] = from_x - static_cast<float>(left);
    places.down[i] = from_y - static_cast<float>(top);
  }
}

// Weights that sum to 1, and not a value plus a share of a difference, which might overflow.
inline __attribute__((always_inline)) void Interpolate(const Places& places, const float* image,
                                                       int channels, int row_stride,
                                                       float* __restrict values) {
  for (int i = 0; i < kGroup; ++i) {
    const float* from = image + int64_t{places.pixel[i]} * channels;
    const float right = places.right[i];
    const float down = places.down[i];
    const float above = (1.0f - right) * from[0] + right * from[channels];
    const float below = (1.0f - right) * from[row_stride] + right * from[row_stride + channels];
    values[i] = (1.0f - down) * above + down * below;
  }
}

}  // namespace

MLP_FOR_EACH_CPU
void FillUniform(NoiseState& state, int64_t groups, float* __restrict out) {
  NoiseState s = state;
  auto& [a, b, c, d] = s.words;
  for (int64_t g = 0; g < groups; ++g) {
    for (int i = 0; i < kGroup; ++i) {
      const uint32_t bits = RotateLeft(a[i] + d[i], 7) + a[i];
      const uint32_t shifted = b[i] << 9;
      c[i] ^= a[i];
      d[i] ^= b[i];
      b[i] ^= c[i];
      a[i] ^= d[i];
      c[i] ^= shifted;
      d[i] = RotateLeft(d[i], 11);
      out[g * kGroup + i] = static_cast<float>(static_cast<int32_t>(bits) >> 8) * 0x1.0p-23f;
    }
  }
  state = s;
}

MLP_FOR_EACH_CPU
void SmoothField(const Smoothing& smoothing, const float* in, float* row, float* out) {
  const int64_t stride = smoothing.stride();
  const int margin = smoothing.margin();
  const int row_terms = 2 * smoothing.row_radius + 1;
  for (int y = 0; y < smoothing.height; ++y) {
    const int first = std::max(0, y - smoothing.column_radius);
    const int last = std::min(smoothing.height - 1, y + smoothing.column_radius);
    const float* column_weights = smoothing.column_weights + smoothing.column_radius + first - y;
    for (int64_t x = 0; x < stride; x += kGroup) {
      WeightedSum(column_weights, last - first + 1, in + first * stride + x, stride,
                  row + margin + x);
    }
    std::fill(row + margin + smoothing.width, row + margin + stride, 0.0f);
    for (int64_t x = 0; x < stride; x += kGroup) {
      WeightedSum(smoothing.row_weights, row_terms, row + margin - smoothing.row_radius + x, 1,
                  out + y * stride + x);
    }
  }
}

MLP_FOR_EACH_CPU
void Resample(const ImageShape& shape, const float* bordered, const AffineMap& map, const float* dx,
              const float* dy, float* out) {
  const int channels = shape.channels;
  const int64_t stride = int64_t{GroupsOf(shape.width)} * kGroup;
  const int64_t row_values = int64_t{shape.width} * channels;
  const int row_stride = (shape.width + kBorder) * channels;
  for (int y = 0; y < shape.height; ++y) {
    float* out_row = out + y * row_values;
    for (int x = 0; x < shape.width; x += kGroup) {
      Places places;
      FindPlaces(shape, map, x, y, dx + y * stride + x, dy + y * stride + x, places);
      const int pixels = std::min(kGroup, shape.width - x);
      for (int c = 0; c < channels; ++c) {
        float values[kGroup];
        Interpolate(places, bordered + c, channels, row_stride, values);
        for (int i = 0; i < pixels; ++i) out_row[(x + i) * channels + c] = values[i];
      }
    }
  }
}

}  // namespace mlp

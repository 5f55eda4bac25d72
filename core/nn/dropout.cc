#include "core/nn/dropout.h"

#include <cassert>

#include "core/base/for_each_cpu.h"
#include "core/base/random.h"

namespace mlp {
namespace {

// Keeps these draws apart from other uses of the same seed ("drop" in ASCII).
constexpr uint64_t kRandomStream = 0x64726F70;

// The finalizer of MurmurHash3 (Appleby 2011): every bit of the result hangs on every bit of x.
inline __attribute__((always_inline)) uint32_t Mix(uint32_t x) {
  x ^= x >> 16;
  x *= 0x85EBCA6Bu;
  x ^= x >> 13;
  x *= 0xC2B2AE35u;
  return x ^ (x >> 16);
}

struct Keys {
  uint32_t unit, row, threshold;
  float scale;
};

inline __attribute__((always_inline)) float Factor(const Keys& keys, uint32_t mixed_unit,
                                                   uint32_t row) {
  const uint32_t draw = Mix(Mix(row + keys.row) ^ mixed_unit);
  return draw < keys.threshold ? 0.0f : keys.scale;
}

MLP_FOR_EACH_CPU
void ApplyAlongRows(const Keys& keys, uint32_t unit, uint32_t row, int64_t rows, float* values) {
  const uint32_t mixed_unit = Mix(unit + keys.unit);
  for (int64_t i = 0; i < rows; ++i) {
    values[i] *= Factor(keys, mixed_unit, row + static_cast<uint32_t>(i));
  }
}

MLP_FOR_EACH_CPU
void ApplyAlongUnits(const Keys& keys, uint32_t unit, uint32_t row, int64_t units, float* values) {
  for (int64_t i = 0; i < units; ++i) {
    values[i] *= Factor(keys, Mix(unit + static_cast<uint32_t>(i) + keys.unit), row);
  }
}

}  // namespace

Dropout::Dropout(double share, int64_t seed, int64_t step, int64_t layer)
    : share_(share),
      scale_(static_cast<float>(1.0 / (1.0 - share))),
      threshold_(static_cast<uint32_t>(share * 0x1.0p32)) {
  assert(share >= 0.0 && share < 1.0);
  // Steps and layers of one seed are streams of their own.
  const uint64_t key =
      MixBits(MixBits(MixBits(static_cast<uint64_t>(seed) ^ MixBits(kRandomStream)) +
                      static_cast<uint64_t>(step)) +
              static_cast<uint64_t>(layer));
  unit_key_ = static_cast<uint32_t>(key);
  row_key_ = static_cast<uint32_t>(key >> 32);
}

void Dropout::ApplyToRows(int64_t row, int64_t rows, int64_t unit, int64_t units, float* values,
                          int64_t stride) const {
  const Keys keys = {unit_key_, row_key_, threshold_, scale_};
  for (int64_t i = 0; i < rows; ++i) {
    ApplyAlongUnits(keys, static_cast<uint32_t>(unit), static_cast<uint32_t>(row + i), units,
                    values + i * stride);
  }
}

void Dropout::ApplyToUnits(int64_t unit, int64_t units, int64_t row, int64_t rows, float* values,
                           int64_t stride) const {
  const Keys keys = {unit_key_, row_key_, threshold_, scale_};
  for (int64_t i = 0; i < units; ++i) {
    ApplyAlongRows(keys, static_cast<uint32_t>(unit + i), static_cast<uint32_t>(row), rows,
                   values + i * stride);
  }
}

}  // namespace mlp

// Random numbers for the distortion of one row in one epoch, fast: 16 generators side by side.
#pragma once

#include <cstdint>

#include "core/data/augmentation_kernels.h"

namespace mlp {

// Uniform numbers that depend on (seed, epoch, row) alone. Thread-compatible.
class AugmentationNoise {
 public:
  // The three are hashed together by SplitMix64, whose further numbers are the states of the 16
  // generators (as their authors advise).
  AugmentationNoise(int64_t seed, int64_t epoch, int64_t row);

  // The next 16 * groups numbers in [-1, 1); `out` is aligned to 64 bytes or not.
  void Fill(int64_t groups, float* out) { FillUniform(state_, groups, out); }

 private:
  NoiseState state_;
};

}  // namespace mlp

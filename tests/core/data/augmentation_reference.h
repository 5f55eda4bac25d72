// Augmentation after its definition: in double, a pixel at a time, with branches at the borders.
// The tests hold the fast version to it, and the benchmark measures it.
#pragma once

#include <cstdint>
#include <vector>

#include "core/data/augmentation.h"

namespace mlp::testing {

// What Augmenter(options, shape, seed, background) makes of `image` [height x width x channels].
std::vector<double> DistortByReference(const AugmentationOptions& options, const ImageShape& shape,
                                       int64_t seed, float background, const float* image,
                                       int64_t epoch, int64_t row);

}  // namespace mlp::testing

// What lies outside an image, as far as its dataset can tell.
#pragma once

#include <cstdint>

#include <absl/types/span.h>

#include "core/data/dataset.h"

namespace mlp {

// The median (the lower one of two) of the values, unscaled, on the borders of the first 1,000 of
// `rows`: 0 for white ink on black, 255 for black ink on white. Requires images and rows.
float ImageBackground(const Dataset& dataset, absl::Span<const int64_t> rows);

}  // namespace mlp

// What mini-batch training changes from step to step, and all that it remembers.
#pragma once

#include <cstdint>

#include "core/base/matrix.h"

namespace mlp {

// All [ParameterLayout::size].
struct MiniBatchState {
  VectorF theta;
  VectorF velocity;     // SGD: momentum; Adam: mean of the gradient
  VectorF mean_square;  // Adam: mean of its square; else empty
  int64_t steps = 0;    // made so far
};

}  // namespace mlp

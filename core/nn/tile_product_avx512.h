// TileProduct in AVX-512: the kernel at the bottom of mini-batch training.
#pragma once

#include "core/nn/tile_product.h"

namespace mlp {

// Null where this CPU or system has no AVX-512. Every entry of c is start, or 0, to which the
// products are added by fused multiply-add in the order of the depth: the same bits whatever tile
// and panel it is in.
const TileKernel* Avx512TileKernel();

}  // namespace mlp

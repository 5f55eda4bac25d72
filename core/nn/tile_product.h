// The matrix product of training, a tile at a time: c [rows x panel] = start + a [rows x depth] *
// b [depth x panel]. All three products of a layer are made of it (core/train/dense_layer_step).
// b is one panel of a matrix that was cut into panels (core/nn/panels.h), so that it is read in the
// order in which it lies in memory; a is the weights or anything else as it is.
#pragma once

#include <cstdint>

namespace mlp {

struct TileProduct {
  int64_t rows;     // of the tile: 1 to TileKernel::rows
  int64_t columns;  // of the panel that anybody wants: 1 to TileKernel::panel
  int64_t depth;    // at least 1
  // Entry (i, k) is a[i * a_row + k * a_depth] for k below `segment`; the next `segment` entries of
  // the depth start `a_segment` further on. One of a_row and a_depth is 1 or both are.
  const float* a;
  int64_t a_row;
  int64_t a_depth;
  int64_t segment;  // at least depth: there is only one
  int64_t a_segment;
  const float* b;      // [depth x panel], on a cache line
  const float* start;  // [rows], added to all of a row; null: 0
  // Rows c_row apart; whole rows of the panel are written, of undefined value from `columns` on.
  float* c;
  int64_t c_row;
};

// A way to compute it, and the shapes that it is fastest with. Every entry of c is summed in the
// same order whatever tile it is part of with the AVX-512 kernel, and of the same tile always with
// any.
struct TileKernel {
  int64_t rows;   // of a tile, at most
  int64_t panel;  // columns of a panel
  void (*multiply)(const TileProduct& product);
};

// Through OpenBLAS, on one thread.
const TileKernel& BlasTileKernel();

// The fastest that this CPU has.
const TileKernel& BestTileKernel();

}  // namespace mlp

// Matrix products through OpenBLAS, on one thread. Propagation's inner loop; <cblas.h> stays in the
// .cc file.
//
// All matrices are row-major, contiguous but where it says otherwise, and must not overlap; sizes
// must fit and be at least 1.
#pragma once

#include <cstdint>

#include "core/base/matrix.h"

namespace mlp {

// c [m x n] += a [m x k] * transpose(b [n x k]). The rows of c may lie apart.
template <typename Scalar>
void AddProductWithTranspose(const ConstMatrixMap<Scalar>& a, const ConstMatrixMap<Scalar>& b,
                             StridedMatrixMap<Scalar> c);

// c [m x n] = a [m x k] * b [k x n].
template <typename Scalar>
void SetProduct(const ConstMatrixMap<Scalar>& a, const ConstMatrixMap<Scalar>& b,
                MatrixMap<Scalar> c);

// c [m x n] = transpose(a [k x m]) * b [k x n].
template <typename Scalar>
void SetTransposeProduct(const ConstMatrixMap<Scalar>& a, const ConstMatrixMap<Scalar>& b,
                         MatrixMap<Scalar> c);

// Operands of AddStridedProduct, with the lengths between their rows.
struct StridedProduct {
  int64_t m, n, k;
  // [m x k]; entry (i, j) is a[i * a_row + j * a_column], of which one is 1.
  const float* a;
  int64_t a_row;
  int64_t a_column;
  const float* b;  // [k x n]
  int64_t b_row;
  float* c;  // [m x n]
  int64_t c_row;
};

// c += a * b.
void AddStridedProduct(const StridedProduct& product);

}  // namespace mlp

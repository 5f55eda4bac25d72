// Matrix products on one thread: through OpenBLAS, or by tiles where the CPU has AVX-512
// (TiledProduct). Propagation's inner loop; <cblas.h> stays in the .cc file.
//
// All matrices are row-major, contiguous but where it says otherwise, and must not overlap; sizes
// must fit and be at least 1.
#pragma once

#include <cstdint>

#include "core/base/matrix.h"
#include "core/nn/strided_product.h"

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

// c += a * b, through OpenBLAS.
void AddStridedProduct(const StridedProduct& product);

}  // namespace mlp

#include "core/nn/gemm.h"

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <mutex>
#include <type_traits>

#include <cblas.h>

#include "core/nn/tiled_product.h"

namespace mlp {
namespace {

// Rows are divided among our own threads, and results must not depend on how many there are: so
// OpenBLAS, which would take every core by default, gets one.
void KeepOpenBlasSingleThreaded() {
  static std::once_flag once;
  std::call_once(once, [] { openblas_set_num_threads(1); });
}

void Multiply(CBLAS_TRANSPOSE op_a, CBLAS_TRANSPOSE op_b, blasint m, blasint n, blasint k,
              const float* a, blasint lda, const float* b, blasint ldb, float beta, float* c,
              blasint ldc) {
  cblas_sgemm(CblasRowMajor, op_a, op_b, m, n, k, 1.0f, a, lda, b, ldb, beta, c, ldc);
}

void Multiply(CBLAS_TRANSPOSE op_a, CBLAS_TRANSPOSE op_b, blasint m, blasint n, blasint k,
              const double* a, blasint lda, const double* b, blasint ldb, double beta, double* c,
              blasint ldc) {
  cblas_dgemm(CblasRowMajor, op_a, op_b, m, n, k, 1.0, a, lda, b, ldb, beta, c, ldc);
}

// y [n] += b [n x k] * x [k].
void AddProductWithVector(blasint n, blasint k, const float* b, const float* x, float* y) {
  cblas_sgemv(CblasRowMajor, CblasNoTrans, n, k, 1.0f, b, k, x, 1, 1.0f, y, 1);
}

void AddProductWithVector(blasint n, blasint k, const double* b, const double* x, double* y) {
  cblas_dgemv(CblasRowMajor, CblasNoTrans, n, k, 1.0, b, k, x, 1, 1.0, y, 1);
}

// c = op(a) * op(b) + beta * c.
template <typename Scalar>
void Gemm(CBLAS_TRANSPOSE op_a, CBLAS_TRANSPOSE op_b, const ConstMatrixMap<Scalar>& a,
          const ConstMatrixMap<Scalar>& b, Scalar beta, StridedMatrixMap<Scalar> c) {
  KeepOpenBlasSingleThreaded();
  const auto k = static_cast<blasint>(op_a == CblasNoTrans ? a.cols() : a.rows());
  assert((op_a == CblasNoTrans ? a.rows() : a.cols()) == c.rows());
  assert((op_b == CblasNoTrans ? b.cols() : b.rows()) == c.cols());
  assert((op_b == CblasNoTrans ? b.rows() : b.cols()) == k);
  Multiply(op_a, op_b, static_cast<blasint>(c.rows()), static_cast<blasint>(c.cols()), k, a.data(),
           static_cast<blasint>(a.cols()), b.data(), static_cast<blasint>(b.cols()), beta, c.data(),
           static_cast<blasint>(c.outerStride()));
}

template <typename Scalar>
StridedMatrixMap<Scalar> Strided(MatrixMap<Scalar>& c) {
  return {c.data(), c.rows(), c.cols(), Eigen::OuterStride<>(c.cols())};
}

// Up to so many rows a product with a vector for each is faster than one with a matrix, for which
// OpenBLAS copies the weights first (tests/bench/forward_bench).
constexpr Eigen::Index kMostVectorRows = 4;

// Entry (i, j) is values[i * row + j * column].
template <typename Scalar>
struct StridedFactor {
  const Scalar* values;
  int64_t row;
  int64_t column;
};

// c = a * b in float; false where this CPU has nothing better than OpenBLAS.
template <typename Scalar>
bool SetByTiles(const StridedFactor<Scalar>& a, const ConstMatrixMap<Scalar>& b,
                MatrixMap<Scalar>& c) {
  if constexpr (std::is_same_v<Scalar, float>) {
    if (!HasTiledProduct()) return false;
    TiledProduct({.m = c.rows(),
                  .n = c.cols(),
                  .k = b.rows(),
                  .a = a.values,
                  .a_row = a.row,
                  .a_column = a.column,
                  .b = b.data(),
                  .b_row = b.cols(),
                  .c = c.data(),
                  .c_row = c.cols()});
    return true;
  }
  return false;
}

}  // namespace

template <typename Scalar>
void AddProductWithTranspose(const ConstMatrixMap<Scalar>& a, const ConstMatrixMap<Scalar>& b,
                             StridedMatrixMap<Scalar> c) {
  if (a.rows() <= kMostVectorRows) {
    KeepOpenBlasSingleThreaded();
    for (Eigen::Index row = 0; row < a.rows(); ++row) {
      AddProductWithVector(static_cast<blasint>(b.rows()), static_cast<blasint>(b.cols()), b.data(),
                           a.data() + row * a.cols(), c.data() + row * c.outerStride());
    }
    return;
  }
  Gemm<Scalar>(CblasNoTrans, CblasTrans, a, b, 1, c);
}

template <typename Scalar>
void SetProduct(const ConstMatrixMap<Scalar>& a, const ConstMatrixMap<Scalar>& b,
                MatrixMap<Scalar> c) {
  if (SetByTiles<Scalar>({.values = a.data(), .row = a.cols(), .column = 1}, b, c)) return;
  Gemm<Scalar>(CblasNoTrans, CblasNoTrans, a, b, 0, Strided(c));
}

template <typename Scalar>
void SetTransposeProduct(const ConstMatrixMap<Scalar>& a, const ConstMatrixMap<Scalar>& b,
                         MatrixMap<Scalar> c) {
  if (SetByTiles<Scalar>({.values = a.data(), .row = 1, .column = a.cols()}, b, c)) return;
  Gemm<Scalar>(CblasTrans, CblasNoTrans, a, b, 0, Strided(c));
}

void AddStridedProduct(const StridedProduct& p) {
  KeepOpenBlasSingleThreaded();
  const bool is_transposed = p.a_column != 1;
  assert(!is_transposed || p.a_row == 1);
  // Of a single row BLAS wants to know a length too.
  const int64_t a_stride = is_transposed ? p.a_column : std::max(p.a_row, p.k);
  Multiply(is_transposed ? CblasTrans : CblasNoTrans, CblasNoTrans, static_cast<blasint>(p.m),
           static_cast<blasint>(p.n), static_cast<blasint>(p.k), p.a,
           static_cast<blasint>(a_stride), p.b, static_cast<blasint>(p.b_row), 1.0f, p.c,
           static_cast<blasint>(p.c_row));
}

template void AddProductWithTranspose<float>(const ConstMatrixMap<float>&,
                                             const ConstMatrixMap<float>&, StridedMatrixMap<float>);
template void AddProductWithTranspose<double>(const ConstMatrixMap<double>&,
                                              const ConstMatrixMap<double>&,
                                              StridedMatrixMap<double>);
template void SetProduct<float>(const ConstMatrixMap<float>&, const ConstMatrixMap<float>&,
                                MatrixMap<float>);
template void SetProduct<double>(const ConstMatrixMap<double>&, const ConstMatrixMap<double>&,
                                 MatrixMap<double>);
template void SetTransposeProduct<float>(const ConstMatrixMap<float>&, const ConstMatrixMap<float>&,
                                         MatrixMap<float>);
template void SetTransposeProduct<double>(const ConstMatrixMap<double>&,
                                          const ConstMatrixMap<double>&, MatrixMap<double>);

}  // namespace mlp

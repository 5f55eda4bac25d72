#include "core/nn/gemm.h"

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <limits>
#include <mutex>
#include <string_view>
#include <type_traits>

#include <cblas.h>

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

// c = op(a) * op(b) + beta * c, cut into pieces of `piece` rows of the examples' dimension: m for a
// plain a, k (the pieces then add up) for a transposed one.
template <typename Scalar>
void Gemm(CBLAS_TRANSPOSE op_a, CBLAS_TRANSPOSE op_b, const ConstMatrixMap<Scalar>& a,
          const ConstMatrixMap<Scalar>& b, Scalar beta, StridedMatrixMap<Scalar> c, int64_t piece) {
  KeepOpenBlasSingleThreaded();
  const auto m = static_cast<blasint>(c.rows());
  const auto n = static_cast<blasint>(c.cols());
  const auto k = static_cast<blasint>(op_a == CblasNoTrans ? a.cols() : a.rows());
  assert((op_a == CblasNoTrans ? a.rows() : a.cols()) == c.rows());
  assert((op_b == CblasNoTrans ? b.cols() : b.rows()) == c.cols());
  assert((op_b == CblasNoTrans ? b.rows() : b.cols()) == k);
  const auto lda = static_cast<blasint>(a.cols());
  const auto ldb = static_cast<blasint>(b.cols());
  const auto ldc = static_cast<blasint>(c.outerStride());
  for (Eigen::Index row = 0; row < a.rows(); row += piece) {
    const auto rows = static_cast<blasint>(std::min<Eigen::Index>(piece, a.rows() - row));
    const Scalar* a_piece = a.data() + row * a.cols();
    if (op_a == CblasNoTrans) {
      Multiply(op_a, op_b, rows, n, k, a_piece, lda, b.data(), ldb, beta,
               c.data() + row * c.outerStride(), ldc);
    } else {
      Multiply(op_a, op_b, m, n, rows, a_piece, lda, b.data() + row * b.cols(), ldb,
               row == 0 ? beta : Scalar{1}, c.data(), ldc);
    }
  }
}

template <typename Scalar>
StridedMatrixMap<Scalar> Strided(MatrixMap<Scalar>& c) {
  return {c.data(), c.rows(), c.cols(), Eigen::OuterStride<>(c.cols())};
}

// OpenBLAS's AVX-512 kernels multiply small float matrices in place, without copying them into
// panels first: for a skinny layer half as fast again as one large product
// (tests/bench/objective_bench). They take a product of m x n x k up to 10^6, with a transposed
// second matrix only where m * n
// <= 1,200 and k >= 32. These are the rows of examples that still fit; all rows where too few do.
constexpr int64_t kAllRows = std::numeric_limits<int64_t>::max();
constexpr int64_t kFewestRows = 16;

// Up to so many rows a product with a vector for each is faster than one with a matrix, for which
// OpenBLAS copies the weights first (tests/bench/forward_bench).
constexpr Eigen::Index kMostVectorRows = 4;

bool HasSmallKernels() {
  static const bool has = [] {
    const std::string_view kernel = openblas_get_corename();
    return kernel == "SkylakeX" || kernel == "Cooperlake" || kernel == "Sapphirerapids";
  }();
  return has;
}

template <typename Scalar>
int64_t RowsPerProduct(int64_t units, int64_t inputs, int64_t limit) {
  if (!std::is_same_v<Scalar, float> || !HasSmallKernels()) return kAllRows;
  const int64_t rows = std::min(limit, 1000000 / (units * inputs));
  return rows < kFewestRows ? kAllRows : rows;
}

}  // namespace

template <typename Scalar>
void AddProductWithTranspose(const ConstMatrixMap<Scalar>& a, const ConstMatrixMap<Scalar>& b,
                             StridedMatrixMap<Scalar> c) {
  const int64_t limit = a.cols() < 32 ? 0 : 1200 / b.rows();
  const int64_t piece = RowsPerProduct<Scalar>(b.rows(), b.cols(), limit);
  if (piece == kAllRows && a.rows() <= kMostVectorRows) {
    KeepOpenBlasSingleThreaded();
    for (Eigen::Index row = 0; row < a.rows(); ++row) {
      AddProductWithVector(static_cast<blasint>(b.rows()), static_cast<blasint>(b.cols()), b.data(),
                           a.data() + row * a.cols(), c.data() + row * c.outerStride());
    }
    return;
  }
  Gemm<Scalar>(CblasNoTrans, CblasTrans, a, b, 1, c, piece);
}

template <typename Scalar>
void SetProduct(const ConstMatrixMap<Scalar>& a, const ConstMatrixMap<Scalar>& b,
                MatrixMap<Scalar> c) {
  Gemm<Scalar>(CblasNoTrans, CblasNoTrans, a, b, 0, Strided(c),
               RowsPerProduct<Scalar>(b.rows(), b.cols(), kAllRows));
}

template <typename Scalar>
void SetTransposeProduct(const ConstMatrixMap<Scalar>& a, const ConstMatrixMap<Scalar>& b,
                         MatrixMap<Scalar> c) {
  Gemm<Scalar>(CblasTrans, CblasNoTrans, a, b, 0, Strided(c),
               RowsPerProduct<Scalar>(a.cols(), b.cols(), kAllRows));
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

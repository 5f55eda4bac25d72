// The matrices of the mathematics: row-major, examples as rows.
//
// Dimension letters, used everywhere: N examples, D features, H hidden units, K classes.
#pragma once

#include <Eigen/Core>

namespace mlp {

template <typename Scalar>
using Matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <typename Scalar>
using MatrixMap = Eigen::Map<Matrix<Scalar>>;
template <typename Scalar>
using ConstMatrixMap = Eigen::Map<const Matrix<Scalar>>;
// Rows that lie apart: some of the columns of a larger matrix.
template <typename Scalar>
using StridedMatrixMap = Eigen::Map<Matrix<Scalar>, Eigen::Unaligned, Eigen::OuterStride<>>;
template <typename Scalar>
using Vector = Eigen::Matrix<Scalar, Eigen::Dynamic, 1>;
template <typename Scalar>
using VectorMap = Eigen::Map<Vector<Scalar>>;
template <typename Scalar>
using ConstVectorMap = Eigen::Map<const Vector<Scalar>>;

using MatrixF = Matrix<float>;
using VectorF = Vector<float>;

}  // namespace mlp

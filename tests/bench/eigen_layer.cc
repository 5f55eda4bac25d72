#include "tests/bench/eigen_layer.h"

// Otherwise the linker would keep one of two versions of Eigen's functions for the whole program.
#define Eigen EigenOfThisCpu
#include <Eigen/Core>

namespace mlp::bench {

void EigenWeightedSums(const float* weights, const float* biases, int64_t units, int64_t features,
                       const float* inputs, int64_t rows, float* sums) {
  using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Eigen::Map<const Matrix> w(weights, units, features);
  if (rows == 1) {
    const Eigen::Map<const Eigen::VectorXf> b(biases, units);
    const Eigen::Map<const Eigen::VectorXf> x(inputs, features);
    Eigen::Map<Eigen::VectorXf> z(sums, units);
    z = b;
    z.noalias() += w * x;
    return;
  }
  const Eigen::Map<const Eigen::RowVectorXf> b(biases, units);
  const Eigen::Map<const Matrix> x(inputs, rows, features);
  Eigen::Map<Matrix> z(sums, rows, units);
  z.rowwise() = b;
  z.noalias() += x * w.transpose();
}

}  // namespace mlp::bench

#include "core/nn/activation.h"

#include <algorithm>
#include <cassert>

#include "core/nn/vector_math.h"

namespace mlp {
namespace {

// float through vector_math, double (the gradient check) through the standard library.
void Exp(MatrixMap<float>& z) { VectorExp(z.data(), z.data(), z.size()); }
void Exp(MatrixMap<double>& z) { z = z.array().exp(); }
void Sigmoid(MatrixMap<float>& z) { VectorSigmoid(z.data(), z.size()); }
void Sigmoid(MatrixMap<double>& z) { z = (1.0 + (-z.array()).exp()).inverse(); }
void Tanh(MatrixMap<float>& z) { VectorTanh(z.data(), z.size()); }
void Tanh(MatrixMap<double>& z) { z = z.array().tanh(); }
// max(0, z) that keeps NaN.
void Relu(MatrixMap<float>& z) { VectorRelu(z.data(), z.size()); }
void Relu(MatrixMap<double>& z) { z = (z.array() < 0.0).select(0.0, z); }
void MultiplyByReluDerivative(const ConstMatrixMap<float>& h, MatrixMap<float>& delta) {
  VectorReluDerivative(h.data(), delta.data(), delta.size());
}
void MultiplyBySigmoidDerivative(const ConstMatrixMap<float>& h, MatrixMap<float>& delta) {
  VectorSigmoidDerivative(h.data(), delta.data(), delta.size());
}
void MultiplyBySigmoidDerivative(const ConstMatrixMap<double>& h, MatrixMap<double>& delta) {
  delta.array() *= h.array() * (1.0 - h.array());
}
void MultiplyByTanhDerivative(const ConstMatrixMap<float>& h, MatrixMap<float>& delta) {
  VectorTanhDerivative(h.data(), delta.data(), delta.size());
}
void MultiplyByTanhDerivative(const ConstMatrixMap<double>& h, MatrixMap<double>& delta) {
  delta.array() *= 1.0 - h.array().square();
}
void MultiplyByReluDerivative(const ConstMatrixMap<double>& h, MatrixMap<double>& delta) {
  delta = (h.array() > 0.0).select(delta, 0.0);
}

// Three passes, so that the exponentials run over the whole block and not over short rows.
template <typename Scalar>
void Softmax(MatrixMap<Scalar>& block) {
  for (Eigen::Index i = 0; i < block.rows(); ++i) {
    const Scalar largest = block.row(i).maxCoeff();
    block.row(i).array() -= largest;
  }
  Exp(block);
  for (Eigen::Index i = 0; i < block.rows(); ++i) {
    double sum = 0.0;
    for (Eigen::Index k = 0; k < block.cols(); ++k) sum += block(i, k);
    block.row(i) *= static_cast<Scalar>(1.0 / sum);
  }
}

}  // namespace

template <typename Scalar>
void Activate(const LayerSpec& layer, MatrixMap<Scalar> block) {
  auto z = block.array();
  switch (layer.activation) {
    case Activation::kStep: {
      const auto threshold = static_cast<Scalar>(layer.threshold);
      z = z.unaryExpr([threshold](Scalar x) { return static_cast<Scalar>(x >= threshold); });
      break;
    }
    case Activation::kSigmoid:
      Sigmoid(block);
      break;
    case Activation::kTanh:
      Tanh(block);
      break;
    case Activation::kRelu:
      Relu(block);
      break;
    case Activation::kIdentity:
      break;
    case Activation::kSoftmax:
      Softmax(block);
      break;
  }
}

bool HasDerivative(Activation activation) {
  return activation != Activation::kStep && activation != Activation::kSoftmax;
}

template <typename Scalar>
void MultiplyByDerivative(Activation activation, const ConstMatrixMap<Scalar>& values,
                          MatrixMap<Scalar> delta) {
  assert(HasDerivative(activation));
  switch (activation) {
    case Activation::kSigmoid:
      MultiplyBySigmoidDerivative(values, delta);
      break;
    case Activation::kTanh:
      MultiplyByTanhDerivative(values, delta);
      break;
    case Activation::kRelu:
      MultiplyByReluDerivative(values, delta);
      break;
    case Activation::kIdentity:
    case Activation::kStep:
    case Activation::kSoftmax:
      break;
  }
}

template void Activate<float>(const LayerSpec&, MatrixMap<float>);
template void Activate<double>(const LayerSpec&, MatrixMap<double>);
template void MultiplyByDerivative<float>(Activation, const ConstMatrixMap<float>&,
                                          MatrixMap<float>);
template void MultiplyByDerivative<double>(Activation, const ConstMatrixMap<double>&,
                                           MatrixMap<double>);

}  // namespace mlp

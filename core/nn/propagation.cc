#include "core/nn/propagation.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "core/nn/activation.h"
#include "core/nn/gemm.h"
#include "core/nn/vector_math.h"
#include "core/nn/weighted_sums.h"

namespace mlp {

namespace {

void SumRows(const ConstMatrixMap<float>& rows, float* sums) {
  VectorSumRows(rows.data(), rows.rows(), rows.cols(), sums);
}
void SumRows(const ConstMatrixMap<double>& rows, double* sums) {
  VectorMap<double>(sums, rows.cols()) = rows.colwise().sum();
}

template <typename Scalar>
class DenseInputs final : public InputProducts<Scalar> {
 public:
  DenseInputs(const Scalar* theta, const ParameterLayout::Layer& layer, const Scalar* inputs,
              int64_t rows)
      : theta_(theta), layer_(layer), inputs_(inputs), rows_(rows) {}

  void WeightedSums(Scalar* z) override {
    mlp::WeightedSums<Scalar>({.weights = theta_ + layer_.weights,
                               .biases = theta_ + layer_.biases,
                               .units = layer_.outputs,
                               .inputs = layer_.inputs},
                              inputs_, rows_, z, layer_.outputs);
  }

  void WeightGradient(const Scalar* delta, Scalar* gradient) override {
    SetTransposeProduct<Scalar>(ConstMatrixMap<Scalar>(delta, rows_, layer_.outputs),
                                ConstMatrixMap<Scalar>(inputs_, rows_, layer_.inputs),
                                MatrixMap<Scalar>(gradient, layer_.outputs, layer_.inputs));
  }

 private:
  const Scalar* const theta_;
  const ParameterLayout::Layer& layer_;
  const Scalar* const inputs_;
  const int64_t rows_;
};

}  // namespace

template <typename Scalar>
Propagation<Scalar>::Propagation(const Topology& topology, int max_rows)
    : topology_(topology), layout_(topology), max_rows_(max_rows) {
  for (const LayerSpec& layer : topology_.layers) activations_.emplace_back(max_rows, layer.units);
  logits_.resize(max_rows, topology_.outputs());
}

template <typename Scalar>
void Propagation<Scalar>::Forward(const Scalar* theta, const Scalar* inputs, int rows) {
  DenseInputs<Scalar> dense(theta, layout_.layers[0], inputs, rows);
  Forward(theta, dense, rows);
}

template <typename Scalar>
void Propagation<Scalar>::Forward(const Scalar* theta, InputProducts<Scalar>& inputs, int rows) {
  assert(rows >= 1 && rows <= max_rows_);
  rows_ = rows;
  for (size_t l = 0; l < activations_.size(); ++l) {
    const ParameterLayout::Layer& layer = layout_.layers[l];
    const bool is_output = l + 1 == activations_.size();
    Scalar* target = is_output ? logits_.data() : activations_[l].data();
    if (l == 0) {
      inputs.WeightedSums(target);
    } else {
      DenseInputs<Scalar>(theta, layer, activations_[l - 1].data(), rows).WeightedSums(target);
    }
    if (is_output) break;  // the cost is computed from them
    Activate<Scalar>(topology_.layers[l],
                     MatrixMap<Scalar>(activations_[l].data(), rows, layer.outputs));
  }
}

template <typename Scalar>
ConstMatrixMap<Scalar> Propagation<Scalar>::outputs() {
  MatrixMap<Scalar> outputs(activations_.back().data(), rows_, topology_.outputs());
  outputs = logits();
  Activate<Scalar>(topology_.layers.back(), outputs);
  return {outputs.data(), outputs.rows(), outputs.cols()};
}

template <typename Scalar>
ConstMatrixMap<Scalar> Propagation<Scalar>::logits() const {
  return {logits_.data(), rows_, topology_.outputs()};
}

template <typename Scalar>
void Propagation<Scalar>::PrepareBackward() {
  if (delta_.size() > 0) return;
  int most_units = 0;
  for (const LayerSpec& layer : topology_.layers) most_units = std::max(most_units, layer.units);
  delta_.resize(max_rows_, most_units);
  delta_below_.resize(max_rows_, most_units);
}

template <typename Scalar>
double Propagation<Scalar>::Backward(const Scalar* theta, const Scalar* inputs,
                                     const Targets& targets, CostKind cost, Scalar* gradient) {
  DenseInputs<Scalar> dense(theta, layout_.layers[0], inputs, rows_);
  return Backward(theta, dense, targets, cost, gradient);
}

template <typename Scalar>
double Propagation<Scalar>::Backward(const Scalar* theta, InputProducts<Scalar>& inputs,
                                     const Targets& targets, CostKind cost, Scalar* gradient) {
  const absl::Span<const int32_t> labels = targets.labels;
  assert(static_cast<size_t>(rows_) == labels.size());
  assert(topology_.layers.back().activation == OutputActivation(cost));
  PrepareBackward();
  const double cross_entropy = CrossEntropySum<Scalar>(cost, logits(), labels, targets.weights);

  // dJ/dz = w (h - y) of the output layer, for either cost.
  MatrixMap<Scalar> output_delta(delta_.data(), rows_, topology_.outputs());
  output_delta = logits();
  Activate<Scalar>(topology_.layers.back(), output_delta);
  for (int i = 0; i < rows_; ++i) output_delta(i, labels[static_cast<size_t>(i)]) -= Scalar{1};
  for (size_t i = 0; i < targets.weights.size(); ++i) {
    output_delta.row(static_cast<Eigen::Index>(i)) *= static_cast<Scalar>(targets.weights[i]);
  }

  for (size_t l = activations_.size(); l-- > 0;) {
    const ParameterLayout::Layer& layer = layout_.layers[l];
    const ConstMatrixMap<Scalar> delta(delta_.data(), rows_, layer.outputs);
    SumRows(delta, gradient + layer.biases);
    if (l == 0) {
      inputs.WeightGradient(delta.data(), gradient + layer.weights);
      break;
    }

    const ConstMatrixMap<Scalar> below(activations_[l - 1].data(), rows_, layer.inputs);
    SetTransposeProduct<Scalar>(
        delta, below, MatrixMap<Scalar>(gradient + layer.weights, layer.outputs, layer.inputs));
    MatrixMap<Scalar> delta_below(delta_below_.data(), rows_, layer.inputs);
    SetProduct<Scalar>(delta,
                       ConstMatrixMap<Scalar>(theta + layer.weights, layer.outputs, layer.inputs),
                       delta_below);
    MultiplyByDerivative<Scalar>(topology_.layers[l - 1].activation, below, delta_below);
    std::swap(delta_, delta_below_);
  }
  return cross_entropy;
}

template <typename Scalar>
int64_t Propagation<Scalar>::bytes() const {
  Eigen::Index scalars = logits_.size() + delta_.size() + delta_below_.size();
  for (const Matrix<Scalar>& layer : activations_) scalars += layer.size();
  return scalars * static_cast<int64_t>(sizeof(Scalar));
}

template class Propagation<float>;
template class Propagation<double>;

}  // namespace mlp

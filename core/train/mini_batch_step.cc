#include "core/train/mini_batch_step.h"

#include <cassert>
#include <cmath>
#include <utility>

#include "core/nn/activation.h"
#include "core/nn/dropout.h"
#include "core/nn/gemm.h"
#include "core/nn/network.h"
#include "core/nn/weighted_sums.h"
#include "core/optim/update_rule.h"

namespace mlp {

class MiniBatchStep::Impl {
 public:
  Impl(const TrainingConfig& config, int64_t training_rows)
      : config_(config),
        layout_(config.topology),
        penalties_{.l2 = static_cast<float>(config.lambda / static_cast<double>(training_rows)),
                   .l1 = static_cast<float>(config.regularization.l1 /
                                            static_cast<double>(training_rows))},
        gradient_(layout_.size) {
    for (const LayerSpec& layer : config_.topology.layers) {
      values_.emplace_back(config.optimizer.batch_size, layer.units);
    }
    inputs_.resize(config.optimizer.batch_size, config.topology.inputs);
  }

  MiniBatchState Start(VectorF theta) const {
    assert(theta.size() == layout_.size);
    MiniBatchState state;
    state.velocity = VectorF::Zero(layout_.size);
    if (UpdateRule::HasMeanSquare(config_.optimizer.kind)) {
      state.mean_square = VectorF::Zero(layout_.size);
    }
    state.theta = std::move(theta);
    return state;
  }

  MiniBatchStepResult Run(const MiniBatch& batch, double learning_rate, MiniBatchState& state) {
    const auto rows = static_cast<int64_t>(batch.labels.size());
    inputs_.topRows(rows) = ConstMatrixMap<float>(batch.inputs, rows, config_.topology.inputs);
    DropOut(0, rows, state.steps, inputs_.data());
    MiniBatchStepResult result;
    result.cost_sum = Forward(batch, state);
    Backward(rows, state);
    result.gradient_norm = Update(learning_rate, state);
    return result;
  }

 private:
  Dropout DropoutOf(size_t layer, int64_t step) const {
    const RegularizationOptions& options = config_.regularization;
    const double share = layer == 0                       ? options.input_dropout
                         : layer > options.dropout.size() ? 0.0
                                                          : options.dropout[layer - 1];
    return Dropout(share, config_.seed, step, static_cast<int64_t>(layer));
  }

  // Layer 0 is the inputs.
  void DropOut(size_t layer, int64_t rows, int64_t step, float* values) const {
    const Dropout dropout = DropoutOf(layer, step);
    const int64_t units = Units(layer);
    if (dropout.enabled()) dropout.ApplyToRows(0, rows, 0, units, values, units);
  }

  int64_t Units(size_t layer) const {
    return layer == 0 ? config_.topology.inputs : config_.topology.layers[layer - 1].units;
  }

  const float* Below(size_t layer) const {
    return layer == 0 ? inputs_.data() : values_[layer - 1].data();
  }

  // Leaves the output layer's dJ/dz of the mean cost in the place of its activations.
  double Forward(const MiniBatch& batch, const MiniBatchState& state) {
    const auto rows = static_cast<int64_t>(batch.labels.size());
    double cost = 0.0;
    for (size_t l = 0; l < values_.size(); ++l) {
      const ParameterLayout::Layer& layer = layout_.layers[l];
      MatrixMap<float> z(values_[l].data(), rows, layer.outputs);
      WeightedSums<float>({.weights = state.theta.data() + layer.weights,
                           .biases = state.theta.data() + layer.biases,
                           .units = layer.outputs,
                           .inputs = layer.inputs},
                          Below(l), rows, z.data(), layer.outputs);
      const bool is_output = l + 1 == values_.size();
      for (int64_t i = 0; is_output && i < rows; ++i) {
        cost += Weight(batch, i) *
                CrossEntropySum<float>(config_.cost, z.row(i),
                                       batch.labels.subspan(static_cast<size_t>(i), 1));
      }
      Activate<float>(config_.topology.layers[l], z);
      if (!is_output) DropOut(l + 1, rows, state.steps, z.data());
    }
    for (int64_t i = 0; i < rows; ++i) {
      auto delta = values_.back().row(i);
      delta(batch.labels[static_cast<size_t>(i)]) -= 1.0f;
      delta *= static_cast<float>(Weight(batch, i) / static_cast<double>(rows));
    }
    return cost;
  }

  static double Weight(const MiniBatch& batch, int64_t row) {
    return batch.weights.empty() ? 1.0
                                 : static_cast<double>(batch.weights[static_cast<size_t>(row)]);
  }

  void Backward(int64_t rows, const MiniBatchState& state) {
    MatrixF delta = values_.back().topRows(rows);
    for (size_t l = values_.size(); l-- > 0;) {
      const ParameterLayout::Layer& layer = layout_.layers[l];
      const ConstMatrixMap<float> above(delta.data(), rows, layer.outputs);
      SetTransposeProduct<float>(
          above, ConstMatrixMap<float>(Below(l), rows, layer.inputs),
          MatrixMap<float>(gradient_.data() + layer.weights, layer.outputs, layer.inputs));
      VectorMap<float>(gradient_.data() + layer.biases, layer.outputs) =
          above.colwise().sum().transpose();
      if (l == 0) break;
      MatrixF below(rows, layer.inputs);
      SetProduct<float>(
          above,
          ConstMatrixMap<float>(state.theta.data() + layer.weights, layer.outputs, layer.inputs),
          MatrixMap<float>(below.data(), rows, layer.inputs));
      // The units' own activations, before they were scaled; what was left out comes to nothing.
      const Dropout dropout = DropoutOf(l, state.steps);
      const MatrixF values = values_[l - 1].topRows(rows) / dropout.scale();
      MultiplyByDerivative<float>(config_.topology.layers[l - 1].activation,
                                  ConstMatrixMap<float>(values.data(), rows, layer.inputs),
                                  MatrixMap<float>(below.data(), rows, layer.inputs));
      DropOut(l, rows, state.steps, below.data());
      delta = std::move(below);
    }
  }

  ParameterBlock Block(int64_t offset, int64_t rows, int64_t columns, MiniBatchState& state) {
    return {
        .rows = rows,
        .columns = columns,
        .theta = state.theta.data() + offset,
        .velocity = state.velocity.data() + offset,
        .mean_square = state.mean_square.size() == 0 ? nullptr : state.mean_square.data() + offset,
        .stride = columns,
        .gradient = gradient_.data() + offset,
        .gradient_stride = columns};
  }

  double Update(double learning_rate, MiniBatchState& state) {
    double squares = 0.0;
    for (const ParameterLayout::Layer& layer : layout_.layers) {
      squares +=
          AddPenalties(penalties_, Block(layer.weights, layer.outputs, layer.inputs, state)) +
          AddPenalties({}, Block(layer.biases, 1, layer.outputs, state));
    }
    const double norm = std::sqrt(squares);
    const double limit = config_.optimizer.max_gradient_norm;
    const auto scale = static_cast<float>(limit > 0.0 && norm > limit ? limit / norm : 1.0);
    ++state.steps;
    const UpdateRule rule(config_.optimizer, learning_rate, state.steps);
    for (const ParameterLayout::Layer& layer : layout_.layers) {
      const ParameterBlock weights = Block(layer.weights, layer.outputs, layer.inputs, state);
      rule.Apply(weights, scale, /*decayed=*/true);
      rule.Apply(Block(layer.biases, 1, layer.outputs, state), scale, /*decayed=*/false);
      const auto max_norm = static_cast<float>(config_.regularization.max_norm);
      if (max_norm > 0.0f) LimitRowNorms(weights, max_norm);
    }
    return norm;
  }

  const TrainingConfig config_;
  const ParameterLayout layout_;
  const PenaltyOptions penalties_;
  VectorF gradient_;
  MatrixF inputs_;               // [batch_size x D], dropped out
  std::vector<MatrixF> values_;  // one a layer, [batch_size x units]
};

MiniBatchStep::MiniBatchStep(const TrainingConfig& config, int64_t training_rows,
                             ThreadPool& /*pool*/)
    : impl_(std::make_unique<Impl>(config, training_rows)) {}
MiniBatchStep::~MiniBatchStep() = default;

MiniBatchState MiniBatchStep::Start(VectorF theta) const { return impl_->Start(std::move(theta)); }

MiniBatchStepResult MiniBatchStep::Run(const MiniBatch& batch, double learning_rate,
                                       MiniBatchState& state) {
  return impl_->Run(batch, learning_rate, state);
}

}  // namespace mlp

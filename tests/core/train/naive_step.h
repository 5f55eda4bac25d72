// One step of mini-batch training by plain loops in double: the reference that the fast one is held
// against. It shares with it only the draws of dropout.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "core/nn/dropout.h"
#include "core/nn/network.h"
#include "core/train/mini_batch_step.h"

namespace mlp {

class NaiveStep {
 public:
  NaiveStep(const TrainingConfig& config, int64_t training_rows, const std::vector<double>& start)
      : theta(start),
        config_(config),
        layout_(config.topology),
        training_rows_(static_cast<double>(training_rows)),
        velocity_(start.size(), 0.0),
        mean_square_(start.size(), 0.0) {}

  MiniBatchStepResult Run(const MiniBatch& batch, double rate) {
    const auto rows = static_cast<int64_t>(batch.labels.size());
    gradient.assign(theta.size(), 0.0);
    MiniBatchStepResult result;
    for (int64_t i = 0; i < rows; ++i) result.cost_sum += AddExample(batch, i, rows);
    AddPenalties();
    double squares = 0.0;
    for (const double g : gradient) squares += g * g;
    result.gradient_norm = std::sqrt(squares);
    Update(rate, result.gradient_norm);
    return result;
  }

  std::vector<double> theta;
  std::vector<double> gradient;  // of the last step, with penalties, before it was clipped

 private:
  // Calls visit(index, is_weight) for all of Theta.
  template <typename Visit>
  void ForEachParameter(const Visit& visit) {
    for (const ParameterLayout::Layer& layer : layout_.layers) {
      for (int64_t p = layer.weights; p < layer.biases; ++p) visit(static_cast<size_t>(p), true);
      for (int64_t p = layer.biases; p < layer.biases + layer.outputs; ++p) {
        visit(static_cast<size_t>(p), false);
      }
    }
  }

  double Mask(size_t layer, int64_t row, int64_t unit) const {
    const RegularizationOptions& options = config_.regularization;
    const double share = layer == 0                       ? options.input_dropout
                         : layer > options.dropout.size() ? 0.0
                                                          : options.dropout[layer - 1];
    float mask = 1.0f;
    if (share > 0.0) {
      Dropout(share, config_.seed, steps_, static_cast<int64_t>(layer))
          .ApplyToRows(row, 1, unit, 1, &mask, 1);
    }
    return mask == 0.0f ? 0.0 : 1.0 / (1.0 - share);
  }

  static double Activated(Activation activation, double z) {
    switch (activation) {
      case Activation::kSigmoid:
        return 1.0 / (1.0 + std::exp(-z));
      case Activation::kTanh:
        return std::tanh(z);
      case Activation::kRelu:
        return std::max(z, 0.0);
      default:
        return z;
    }
  }

  static double Derivative(Activation activation, double h) {
    switch (activation) {
      case Activation::kSigmoid:
        return h * (1.0 - h);
      case Activation::kTanh:
        return 1.0 - h * h;
      case Activation::kRelu:
        return h > 0.0 ? 1.0 : 0.0;
      default:
        return 1.0;
    }
  }

  // The example's weighted cost; adds its part of the mean gradient.
  double AddExample(const MiniBatch& batch, int64_t row, int64_t rows) {
    const size_t depth = layout_.layers.size();
    std::vector<std::vector<double>> plain(depth + 1), masked(depth + 1);
    for (int i = 0; i < config_.topology.inputs; ++i) {
      const auto x = static_cast<double>(batch.inputs[row * config_.topology.inputs + i]);
      masked[0].push_back(x * Mask(0, row, i));
    }
    for (size_t l = 0; l < depth; ++l) {
      const ParameterLayout::Layer& layer = layout_.layers[l];
      for (int u = 0; u < layer.outputs; ++u) {
        double z = theta[static_cast<size_t>(layer.biases + u)];
        for (int i = 0; i < layer.inputs; ++i) {
          z += theta[static_cast<size_t>(layer.weights + u * layer.inputs + i)] *
               masked[l][static_cast<size_t>(i)];
        }
        plain[l + 1].push_back(
            l + 1 == depth ? z : Activated(config_.topology.layers[l].activation, z));
        masked[l + 1].push_back(plain[l + 1].back() * (l + 1 == depth ? 1.0 : Mask(l + 1, row, u)));
      }
    }
    const double weight =
        batch.weights.empty() ? 1.0 : static_cast<double>(batch.weights[static_cast<size_t>(row)]);
    std::vector<double> delta;
    const double cost =
        OutputDelta(plain[depth], batch.labels[static_cast<size_t>(row)], delta) * weight;
    for (double& d : delta) d *= weight / static_cast<double>(rows);

    for (size_t l = depth; l-- > 0;) {
      const ParameterLayout::Layer& layer = layout_.layers[l];
      std::vector<double> below(static_cast<size_t>(layer.inputs), 0.0);
      for (int u = 0; u < layer.outputs; ++u) {
        const double d = delta[static_cast<size_t>(u)];
        gradient[static_cast<size_t>(layer.biases + u)] += d;
        for (int i = 0; i < layer.inputs; ++i) {
          const auto w = static_cast<size_t>(layer.weights + u * layer.inputs + i);
          gradient[w] += d * masked[l][static_cast<size_t>(i)];
          below[static_cast<size_t>(i)] += d * theta[w];
        }
      }
      for (int i = 0; l > 0 && i < layer.inputs; ++i) {
        below[static_cast<size_t>(i)] *=
            Mask(l, row, i) *
            Derivative(config_.topology.layers[l - 1].activation, plain[l][static_cast<size_t>(i)]);
      }
      delta = std::move(below);
    }
    return cost;
  }

  double OutputDelta(const std::vector<double>& z, int32_t label,
                     std::vector<double>& delta) const {
    double sum = 0.0, cost = 0.0;
    for (const double x : z) sum += std::exp(x);
    for (size_t k = 0; k < z.size(); ++k) {
      const bool is_label = k == static_cast<size_t>(label);
      const bool softmax = config_.cost == CostKind::kSoftmaxCrossEntropy;
      const double h = softmax ? std::exp(z[k]) / sum : 1.0 / (1.0 + std::exp(-z[k]));
      if (is_label) cost -= std::log(h);
      if (!softmax && !is_label) cost -= std::log(1.0 - h);
      delta.push_back(h - (is_label ? 1.0 : 0.0));
    }
    return cost;
  }

  void AddPenalties() {
    ForEachParameter([&](size_t p, bool is_weight) {
      if (!is_weight) return;
      const double sign = theta[p] > 0.0 ? 1.0 : (theta[p] < 0.0 ? -1.0 : 0.0);
      gradient[p] +=
          (config_.lambda * theta[p] + config_.regularization.l1 * sign) / training_rows_;
    });
  }

  void Update(double rate, double norm) {
    const OptimizerOptions& o = config_.optimizer;
    const double limit = o.max_gradient_norm;
    const double scale = limit > 0.0 && norm > limit ? limit / norm : 1.0;
    ++steps_;
    const auto t = static_cast<double>(steps_);
    ForEachParameter([&](size_t p, bool is_weight) {
      const double g = scale * gradient[p];
      double change = is_weight ? o.weight_decay * theta[p] : 0.0;
      if (o.kind == OptimizerKind::kSgd) {
        velocity_[p] = o.momentum * velocity_[p] + g;
        change += o.nesterov ? g + o.momentum * velocity_[p] : velocity_[p];
      } else {
        velocity_[p] = o.beta1 * velocity_[p] + (1.0 - o.beta1) * g;
        mean_square_[p] = o.beta2 * mean_square_[p] + (1.0 - o.beta2) * g * g;
        change += velocity_[p] / (1.0 - std::pow(o.beta1, t)) /
                  (std::sqrt(mean_square_[p] / (1.0 - std::pow(o.beta2, t))) + o.epsilon);
      }
      theta[p] -= rate * change;
    });
    LimitNorms();
  }

  void LimitNorms() {
    const double limit = config_.regularization.max_norm;
    for (const ParameterLayout::Layer& layer : layout_.layers) {
      for (int u = 0; limit > 0.0 && u < layer.outputs; ++u) {
        double* row = theta.data() + layer.weights + static_cast<int64_t>(u) * layer.inputs;
        double squares = 0.0;
        for (int i = 0; i < layer.inputs; ++i) squares += row[i] * row[i];
        for (int i = 0; squares > limit * limit && i < layer.inputs; ++i) {
          row[i] *= limit / std::sqrt(squares);
        }
      }
    }
  }

  const TrainingConfig config_;
  const ParameterLayout layout_;
  const double training_rows_;
  int64_t steps_ = 0;
  std::vector<double> velocity_;
  std::vector<double> mean_square_;
};

}  // namespace mlp

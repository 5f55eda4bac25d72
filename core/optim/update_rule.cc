#include "core/optim/update_rule.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "core/base/for_each_cpu.h"

// The loops over columns are plain, for the compiler to vectorize (see CMakeLists.txt); sums are in
// kLanes parts, which it may not reorder by itself. Squares are summed in float: a lane has few.

namespace mlp {
namespace {

constexpr int64_t kLanes = kSquareLanes;
using Lanes __attribute__((vector_size(kLanes * sizeof(float)), aligned(4), may_alias)) = float;

MLP_FOR_EACH_CPU
void AddTo(float l2, float l1, const float* __restrict theta, float* __restrict gradient,
           int64_t columns) {
  for (int64_t j = 0; j < columns; ++j) {
    const float sign = theta[j] > 0.0f ? 1.0f : (theta[j] < 0.0f ? -1.0f : 0.0f);
    gradient[j] += l2 * theta[j] + l1 * sign;
  }
}

MLP_FOR_EACH_CPU
void AddSquares(const float* values, int64_t rows, int64_t columns, int64_t stride,
                float* squares) {
  for (int64_t i = 0; i < rows; ++i, values += stride, squares += kLanes) {
    Lanes sums = *reinterpret_cast<const Lanes*>(squares);
    int64_t j = 0;
    for (; j + kLanes <= columns; j += kLanes) {
      const Lanes lanes = *reinterpret_cast<const Lanes*>(values + j);
      sums += lanes * lanes;
    }
    *reinterpret_cast<Lanes*>(squares) = sums;
    for (int64_t lane = 0; j < columns; ++j, ++lane) squares[lane] += values[j] * values[j];
  }
}

// `squares` [kLanes x columns].
MLP_FOR_EACH_CPU
void AddColumnSquares(const float* __restrict values, int64_t rows, int64_t columns, int64_t stride,
                      float* __restrict squares) {
  for (int64_t i = 0; i < rows; ++i, values += stride) {
    float* __restrict sums = squares + i % kLanes * columns;
    for (int64_t j = 0; j < columns; ++j) sums[j] += values[j] * values[j];
  }
}

template <bool kNesterov>
inline __attribute__((always_inline)) void StepSgd(float rate, float momentum, float decay,
                                                   float scale, const ParameterBlock& block) {
  for (int64_t i = 0; i < block.rows; ++i) {
    float* __restrict theta = block.theta + i * block.stride;
    float* __restrict velocity = block.velocity + i * block.stride;
    const float* __restrict gradient = block.gradient + i * block.gradient_stride;
    for (int64_t j = 0; j < block.columns; ++j) {
      const float g = scale * gradient[j];
      const float v = momentum * velocity[j] + g;
      velocity[j] = v;
      theta[j] -= rate * (kNesterov ? g + momentum * v : v) + decay * theta[j];
    }
  }
}

MLP_FOR_EACH_CPU
void StepPlainSgd(float rate, float momentum, float decay, float scale,
                  const ParameterBlock& block) {
  StepSgd<false>(rate, momentum, decay, scale, block);
}

MLP_FOR_EACH_CPU
void StepNesterov(float rate, float momentum, float decay, float scale,
                  const ParameterBlock& block) {
  StepSgd<true>(rate, momentum, decay, scale, block);
}

struct AdamConstants {
  float rate, beta1, beta2, news1, news2, root_scale, epsilon, decay, scale;
};

MLP_FOR_EACH_CPU
void StepAdam(const AdamConstants& c, const ParameterBlock& block) {
  for (int64_t i = 0; i < block.rows; ++i) {
    float* __restrict theta = block.theta + i * block.stride;
    float* __restrict velocity = block.velocity + i * block.stride;
    float* __restrict mean_square = block.mean_square + i * block.stride;
    const float* __restrict gradient = block.gradient + i * block.gradient_stride;
    for (int64_t j = 0; j < block.columns; ++j) {
      const float g = c.scale * gradient[j];
      const float v = c.beta1 * velocity[j] + c.news1 * g;
      const float s = c.beta2 * mean_square[j] + c.news2 * (g * g);
      velocity[j] = v;
      mean_square[j] = s;
      theta[j] -= c.rate * v / (std::sqrt(s) * c.root_scale + c.epsilon) + c.decay * theta[j];
    }
  }
}

MLP_FOR_EACH_CPU
void Scale(float factor, float* values, int64_t count) {
  for (int64_t j = 0; j < count; ++j) values[j] *= factor;
}

MLP_FOR_EACH_CPU
void ScaleColumns(const float* __restrict factors, float* __restrict values, int64_t rows,
                  int64_t columns, int64_t stride) {
  for (int64_t i = 0; i < rows; ++i, values += stride) {
    for (int64_t j = 0; j < columns; ++j) values[j] *= factors[j];
  }
}

// 1 where it is within.
float FactorOf(double squared_norm, float max_norm) {
  const double norm = std::sqrt(squared_norm);
  const auto limit = static_cast<double>(max_norm);
  return norm > limit ? static_cast<float>(limit / norm) : 1.0f;
}

void AddPenaltyGradients(const PenaltyOptions& penalties, const ParameterBlock& block) {
  if (penalties.l2 == 0.0f && penalties.l1 == 0.0f) return;
  for (int64_t i = 0; i < block.rows; ++i) {
    AddTo(penalties.l2, penalties.l1, block.theta + i * block.stride,
          block.gradient + i * block.gradient_stride, block.columns);
  }
}

double OneMinusPower(double base, int64_t exponent) {
  return 1.0 - std::pow(base, static_cast<double>(exponent));
}

}  // namespace

double SumOfLanes(const float* lanes, int64_t stride) {
  double sum = 0.0;
  for (int64_t i = 0; i < kLanes; ++i) sum += static_cast<double>(lanes[i * stride]);
  return sum;
}

void AddPenalties(const PenaltyOptions& penalties, const ParameterBlock& block, float* squares) {
  AddPenaltyGradients(penalties, block);
  AddSquares(block.gradient, block.rows, block.columns, block.gradient_stride, squares);
}

void AddPenaltiesTransposed(const PenaltyOptions& penalties, const ParameterBlock& block,
                            float* squares) {
  AddPenaltyGradients(penalties, block);
  AddColumnSquares(block.gradient, block.rows, block.columns, block.gradient_stride, squares);
}

UpdateRule::UpdateRule(const OptimizerOptions& options, double learning_rate, int64_t step)
    : is_sgd_(options.kind == OptimizerKind::kSgd),
      nesterov_(options.nesterov),
      rate_(static_cast<float>(is_sgd_ ? learning_rate
                                       : learning_rate / OneMinusPower(options.beta1, step))),
      decay_(static_cast<float>(learning_rate * options.weight_decay)),
      momentum_(static_cast<float>(is_sgd_ ? options.momentum : options.beta1)),
      beta2_(static_cast<float>(options.beta2)),
      news1_(static_cast<float>(1.0 - options.beta1)),
      news2_(static_cast<float>(1.0 - options.beta2)),
      root_scale_(static_cast<float>(1.0 / std::sqrt(OneMinusPower(options.beta2, step)))),
      epsilon_(static_cast<float>(options.epsilon)) {
  assert(step >= 1);
}

void UpdateRule::Apply(const ParameterBlock& block, float gradient_scale, bool decayed) const {
  const float decay = decayed ? decay_ : 0.0f;
  if (!is_sgd_) {
    StepAdam({.rate = rate_,
              .beta1 = momentum_,
              .beta2 = beta2_,
              .news1 = news1_,
              .news2 = news2_,
              .root_scale = root_scale_,
              .epsilon = epsilon_,
              .decay = decay,
              .scale = gradient_scale},
             block);
  } else if (nesterov_) {
    StepNesterov(rate_, momentum_, decay, gradient_scale, block);
  } else {
    StepPlainSgd(rate_, momentum_, decay, gradient_scale, block);
  }
}

void LimitRowNorms(const ParameterBlock& block, float max_norm) {
  for (int64_t i = 0; i < block.rows; ++i) {
    float* row = block.theta + i * block.stride;
    float squares[kLanes] = {};
    AddSquares(row, 1, block.columns, block.columns, squares);
    const float factor = FactorOf(SumOfLanes(squares, 1), max_norm);
    if (factor != 1.0f) Scale(factor, row, block.columns);
  }
}

void LimitColumnNorms(const ParameterBlock& block, float max_norm, float* scratch) {
  std::fill_n(scratch, kLanes * block.columns, 0.0f);
  AddColumnSquares(block.theta, block.rows, block.columns, block.stride, scratch);
  // A column's factor takes the place of its first sum.
  for (int64_t j = 0; j < block.columns; ++j) {
    scratch[j] = FactorOf(SumOfLanes(scratch + j, block.columns), max_norm);
  }
  ScaleColumns(scratch, block.theta, block.rows, block.columns, block.stride);
}

}  // namespace mlp

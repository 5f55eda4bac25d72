#include "core/train/layer_update.h"

#include <algorithm>
#include <cassert>

#include "core/base/matrix.h"

namespace mlp {
namespace {

// Of each unit: the sum over all rows of the batch, in their order.
void SumOverBatch(const UnitRange& units, const Panels& delta, float* sums) {
  for (int64_t u = 0; u < units.count; ++u) {
    sums[u] = 0.0f;
    for (int64_t p = 0; p < delta.count(); ++p) {
      sums[u] += ConstVectorMap<float>(delta.row(p, units.first + u), delta.columns_of(p)).sum();
    }
  }
}

// Asks for what the update will need, while the gradient is being computed.
void Prefetch(const ParameterBlock& block) {
  constexpr int64_t kCacheLine = 16;
  for (int64_t i = 0; i < block.rows; ++i) {
    for (int64_t j = 0; j < block.columns; j += kCacheLine) {
      const int64_t at = i * block.stride + j;
      __builtin_prefetch(block.theta + at, 1);
      __builtin_prefetch(block.velocity + at, 1);
      if (block.mean_square != nullptr) __builtin_prefetch(block.mean_square + at, 1);
    }
  }
}

void SumLanes(const UnitRange& units, const float* lanes, double* squares) {
  for (int64_t u = 0; u < units.count; ++u) squares[u] = SumOfLanes(lanes + u * kSquareLanes, 1);
}

}  // namespace

LayerUpdate::LayerUpdate(const ParameterLayout::Layer& layer, int64_t width)
    : layer_(layer), width_(width) {
  assert(width % kSquareLanes == 0);
}

ParameterBlock LayerUpdate::Weights(const UnitRange& units, const InputRange& inputs,
                                    const UpdatePlan& plan, float* gradient,
                                    int64_t gradient_stride) const {
  const int64_t at = layer_.weights + units.first * layer_.inputs + inputs.first;
  return {.rows = units.count,
          .columns = inputs.count,
          .theta = plan.theta + at,
          .velocity = plan.velocity + at,
          .mean_square = plan.mean_square == nullptr ? nullptr : plan.mean_square + at,
          .stride = layer_.inputs,
          .gradient = gradient,
          .gradient_stride = gradient_stride};
}

ParameterBlock LayerUpdate::Biases(const UnitRange& units, const UpdatePlan& plan,
                                   float* gradient) const {
  const int64_t at = layer_.biases + units.first;
  return {.rows = 1,
          .columns = units.count,
          .theta = plan.theta + at,
          .velocity = plan.velocity + at,
          .mean_square = plan.mean_square == nullptr ? nullptr : plan.mean_square + at,
          .stride = units.count,
          .gradient = gradient,
          .gradient_stride = units.count};
}

template <typename Visit>
void LayerUpdate::ForEachBlock(const Visit& visit) const {
  for (int64_t first = 0; first < layer_.inputs; first += width_) {
    visit(InputRange{.first = first, .count = std::min(width_, layer_.inputs - first)});
  }
}

void LayerUpdate::LimitNorms(const UnitRange& units, const UpdatePlan& plan) const {
  const InputRange all = {.first = 0, .count = layer_.inputs};
  if (plan.max_norm > 0.0f) {
    LimitRowNorms(Weights(units, all, plan, nullptr, 0), plan.max_norm);
  }
}

void LayerUpdate::BiasGradient(const UnitRange& units, const Panels& delta, float* gradient,
                               double* squares) {
  SumOverBatch(units, delta, gradient);
  // They have no penalties.
  for (int64_t u = 0; u < units.count; ++u) {
    const auto bias = static_cast<double>(gradient[u]);
    squares[u] += bias * bias;
  }
}

void LayerUpdate::ApplyToBiases(const UnitRange& units, const UpdatePlan& plan, float* gradient,
                                float scale) const {
  plan.rule.Apply(Biases(units, plan, gradient), scale, /*decayed=*/false);
}

void LayerUpdate::Run(const UnitRange& units, const Panels& delta, const UpdatePlan& plan,
                      WeightGradient weight_gradient, float* scratch, double* squares) const {
  float* const lanes = scratch + units.count * width_;
  std::fill_n(lanes, units.count * kSquareLanes, 0.0f);
  ForEachBlock([&](const InputRange& inputs) {
    const ParameterBlock block = Weights(units, inputs, plan, scratch, width_);
    Prefetch(block);
    weight_gradient(inputs, scratch);
    AddPenalties(plan.penalties, block, lanes);
    plan.rule.Apply(block, /*gradient_scale=*/1.0f, /*decayed=*/true);
  });
  LimitNorms(units, plan);
  SumLanes(units, lanes, squares);
  BiasGradient(units, delta, scratch, squares);
  ApplyToBiases(units, plan, scratch, /*scale=*/1.0f);
}

void LayerUpdate::Gradient(const UnitRange& units, const Panels& delta, const UpdatePlan& plan,
                           WeightGradient weight_gradient, float* gradient, float* scratch,
                           double* squares) const {
  float* const lanes = scratch + units.count * width_;
  std::fill_n(lanes, units.count * kSquareLanes, 0.0f);
  float* const rows = gradient + layer_.weights + units.first * layer_.inputs;
  ForEachBlock([&](const InputRange& inputs) {
    weight_gradient(inputs, scratch);
    AddPenalties(plan.penalties, Weights(units, inputs, plan, scratch, width_), lanes);
    for (int64_t u = 0; u < units.count; ++u) {
      std::copy_n(scratch + u * width_, inputs.count, rows + u * layer_.inputs + inputs.first);
    }
  });
  SumLanes(units, lanes, squares);
  BiasGradient(units, delta, gradient + layer_.biases + units.first, squares);
}

void LayerUpdate::Apply(const UnitRange& units, const UpdatePlan& plan, float* gradient,
                        float scale) const {
  float* const rows = gradient + layer_.weights + units.first * layer_.inputs;
  const InputRange all = {.first = 0, .count = layer_.inputs};
  plan.rule.Apply(Weights(units, all, plan, rows, layer_.inputs), scale, /*decayed=*/true);
  ApplyToBiases(units, plan, gradient + layer_.biases + units.first, scale);
  LimitNorms(units, plan);
}

}  // namespace mlp

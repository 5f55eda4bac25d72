#include "core/train/transposed_layer.h"

namespace mlp {
namespace {

Panels PanelsOf(const ParameterLayout::Layer& layer, int64_t width) {
  return {layer.inputs, layer.outputs, width};
}

std::optional<Panels> PanelsIf(bool wanted, const ParameterLayout::Layer& layer, int64_t width) {
  if (!wanted) return std::nullopt;
  return PanelsOf(layer, width);
}

// `values` are all of [ParameterLayout::size].
void LoadPanel(const ParameterLayout::Layer& layer, int panel, const VectorF& values,
               Panels& transposed) {
  Transpose({.from = values.data() + layer.weights + panel * transposed.width() * layer.inputs,
             .from_row = layer.inputs,
             .rows = transposed.columns_of(panel),
             .columns = layer.inputs,
             .to = transposed.row(panel, 0),
             .to_row = transposed.width()});
}

void StorePanel(const ParameterLayout::Layer& layer, int panel, const Panels& transposed,
                VectorF& values) {
  Transpose({.from = transposed.row(panel, 0),
             .from_row = transposed.width(),
             .rows = layer.inputs,
             .columns = transposed.columns_of(panel),
             .to = values.data() + layer.weights + panel * transposed.width() * layer.inputs,
             .to_row = layer.inputs});
}

}  // namespace

TransposedLayer::TransposedLayer(const ParameterLayout::Layer& layer, int64_t panel_units,
                                 bool has_mean_square, bool keeps_gradient)
    : layer_(layer),
      theta_(PanelsOf(layer, panel_units)),
      velocity_(PanelsOf(layer, panel_units)),
      mean_square_(PanelsIf(has_mean_square, layer, panel_units)),
      gradient_(PanelsIf(keeps_gradient, layer, panel_units)) {}

int64_t TransposedLayer::Bytes(const ParameterLayout::Layer& layer, int64_t panel_units,
                               bool has_mean_square, bool keeps_gradient) {
  const int64_t matrices = 2 + (has_mean_square ? 1 : 0) + (keeps_gradient ? 1 : 0);
  return matrices * Panels::Bytes(layer.inputs, layer.outputs, panel_units);
}

void TransposedLayer::Load(int panel, const MiniBatchState& state) {
  LoadPanel(layer_, panel, state.theta, theta_);
  LoadPanel(layer_, panel, state.velocity, velocity_);
  if (mean_square_.has_value()) LoadPanel(layer_, panel, state.mean_square, *mean_square_);
}

void TransposedLayer::Store(int panel, MiniBatchState& state) const {
  StorePanel(layer_, panel, theta_, state.theta);
  StorePanel(layer_, panel, velocity_, state.velocity);
  if (mean_square_.has_value()) StorePanel(layer_, panel, *mean_square_, state.mean_square);
}

ParameterBlock TransposedLayer::Block(int panel, int64_t first_input, int64_t inputs) {
  return {.rows = inputs,
          .columns = columns_of(panel),
          .theta = theta_.row(panel, first_input),
          .velocity = velocity_.row(panel, first_input),
          .mean_square = mean_square_.has_value() ? mean_square_->row(panel, first_input) : nullptr,
          .stride = theta_.width(),
          .gradient = gradient_.has_value() ? gradient_->row(panel, first_input) : nullptr,
          .gradient_stride = theta_.width()};
}

}  // namespace mlp

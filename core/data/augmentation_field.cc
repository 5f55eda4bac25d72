#include "core/data/augmentation_field.h"

#include <algorithm>
#include <cmath>

namespace mlp {
namespace {

constexpr double kSigmasToCutOff = 4.0;

// factor * g(-reach) ... factor * g(reach): of the kernel what can meet two pixels of one row or
// column of `length` pixels.
std::vector<float> GaussianWeights(double sigma, int length, double factor) {
  const auto radius = static_cast<int>(std::ceil(kSigmasToCutOff * sigma));
  const auto gaussian = [sigma](int i) { return std::exp(-0.5 * (i / sigma) * (i / sigma)); };
  double sum = gaussian(0);
  for (int i = 1; i <= radius; ++i) sum += 2.0 * gaussian(i);
  const int reach = std::min(radius, length - 1);
  std::vector<float> weights;
  for (int i = -reach; i <= reach; ++i) {
    weights.push_back(static_cast<float>(factor * gaussian(i) / sum));
  }
  return weights;
}

int Radius(const std::vector<float>& weights) { return static_cast<int>(weights.size()) / 2; }

}  // namespace

ElasticField::ElasticField(double alpha, double sigma, int height, int width)
    : height_(height),
      width_(width),
      row_weights_(GaussianWeights(sigma, width, 1.0)),
      column_weights_(GaussianWeights(sigma, height, alpha)) {}

Smoothing ElasticField::smoothing() const {
  return {.height = height_,
          .width = width_,
          .row_radius = Radius(row_weights_),
          .column_radius = Radius(column_weights_),
          .row_weights = row_weights_.data(),
          .column_weights = column_weights_.data()};
}

ElasticField::Scratch ElasticField::MakeScratch() const {
  const Smoothing shape = smoothing();
  return {.noise = FloatGroups(static_cast<size_t>(groups())),
          .row = FloatGroups(static_cast<size_t>(GroupsOf(shape.stride() + 2 * shape.margin())))};
}

void ElasticField::Draw(AugmentationNoise& noise, Scratch& scratch, float* field) const {
  noise.Fill(groups(), Data(scratch.noise));
  SmoothField(smoothing(), Data(scratch.noise), Data(scratch.row), field);
}

}  // namespace mlp

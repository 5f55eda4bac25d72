#include "tests/core/data/augmentation_reference.h"

#include <cmath>
#include <cstddef>
#include <numbers>

#include "core/data/augmentation_noise.h"

namespace mlp::testing {
namespace {

using Field = std::vector<double>;  // [height x width]

size_t At(int y, int x, int width) { return static_cast<size_t>(int64_t{y} * width + x); }

std::vector<double> Gaussian(double sigma) {
  const int radius = static_cast<int>(std::ceil(4.0 * sigma));
  std::vector<double> weights;
  double sum = 0.0;
  for (int i = -radius; i <= radius; ++i) {
    weights.push_back(std::exp(-i * i / (2.0 * sigma * sigma)));
    sum += weights.back();
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

// The sum of weights[radius + i] field[y + i step_y][x + i step_x], 0 beyond the border.
Field Convolve(const Field& field, const std::vector<double>& weights, int height, int width,
               int step_y, int step_x) {
  const int radius = static_cast<int>(weights.size()) / 2;
  const double* weight = weights.data() + radius;
  Field out(field.size());
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      double sum = 0.0;
      for (int i = -radius; i <= radius; ++i) {
        const int from_y = y + i * step_y;
        const int from_x = x + i * step_x;
        if (from_y < 0 || from_y >= height || from_x < 0 || from_x >= width) continue;
        sum += weight[i] * field[At(from_y, from_x, width)];
      }
      out[At(y, x, width)] = sum;
    }
  }
  return out;
}

Field DrawField(const AugmentationOptions& options, int height, int width,
                AugmentationNoise& noise) {
  Field field;
  std::vector<float> row(At(GroupsOf(width), 0, kGroup));
  for (int y = 0; y < height; ++y) {
    noise.Fill(GroupsOf(width), row.data());
    field.insert(field.end(), row.begin(), row.begin() + width);
  }
  const std::vector<double> gaussian = Gaussian(options.elastic_sigma);
  field = Convolve(field, gaussian, height, width, 1, 0);
  field = Convolve(field, gaussian, height, width, 0, 1);
  for (double& value : field) value *= options.elastic_alpha;
  return field;
}

double Factor(double most, double uniform) {
  return uniform < 0.0 ? 1.0 / (1.0 + most * -uniform) : 1.0 + most * uniform;
}

}  // namespace

std::vector<double> DistortByReference(const AugmentationOptions& options, const ImageShape& shape,
                                       int64_t seed, float background, const float* image,
                                       int64_t epoch, int64_t row) {
  AugmentationNoise noise(seed, epoch, row);
  float u[kGroup];
  noise.Fill(1, u);
  const double scale_x = Factor(options.max_scale, u[0]);
  const double scale_y = Factor(options.max_scale, u[1]);
  const double shear = options.max_shear * u[2];
  const double angle = options.max_rotation_degrees * u[3] * std::numbers::pi / 180.0;
  // The transformation of the image, [a b; c d], and its determinant.
  const double a = std::cos(angle) * scale_x;
  const double b = (std::cos(angle) * shear - std::sin(angle)) * scale_y;
  const double c = std::sin(angle) * scale_x;
  const double d = (std::sin(angle) * shear + std::cos(angle)) * scale_y;
  const double determinant = a * d - b * c;
  Field dx(At(shape.height, 0, shape.width));
  Field dy(dx.size());
  if (options.elastic_alpha > 0.0) {
    dx = DrawField(options, shape.height, shape.width, noise);
    dy = DrawField(options, shape.height, shape.width, noise);
  }

  const auto pixel = [&](int y, int x, int channel) -> double {
    if (y < 0 || y >= shape.height || x < 0 || x >= shape.width) return background;
    return image[At(y, x, shape.width) * static_cast<size_t>(shape.channels) +
                 static_cast<size_t>(channel)];
  };
  const double centre_x = 0.5 * (shape.width - 1);
  const double centre_y = 0.5 * (shape.height - 1);
  std::vector<double> out;
  for (int y = 0; y < shape.height; ++y) {
    for (int x = 0; x < shape.width; ++x) {
      const double p = x - centre_x - options.max_translation * u[4];
      const double q = y - centre_y - options.max_translation * u[5];
      const size_t place = At(y, x, shape.width);
      const double from_x = centre_x + (d * p - b * q) / determinant + dx[place];
      const double from_y = centre_y + (a * q - c * p) / determinant + dy[place];
      const int left = static_cast<int>(std::floor(from_x));
      const int top = static_cast<int>(std::floor(from_y));
      const double right = from_x - left;
      const double down = from_y - top;
      for (int channel = 0; channel < shape.channels; ++channel) {
        out.push_back((1.0 - down) * ((1.0 - right) * pixel(top, left, channel) +
                                      right * pixel(top, left + 1, channel)) +
                      down * ((1.0 - right) * pixel(top + 1, left, channel) +
                              right * pixel(top + 1, left + 1, channel)));
      }
    }
  }
  return out;
}

}  // namespace mlp::testing

#include "tests/bench/epoch_examples.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <numbers>
#include <vector>

#include "client/readers/idx_reader.h"
#include "core/base/random.h"

namespace mlp::bench {
namespace {

constexpr int kSide = 28;
constexpr int kClasses = 10;
constexpr int kRows = 60'000;

// A stroke: where it goes from point to point, about the image's middle.
constexpr int kPoints = 42;
struct Stroke {
  double x[kPoints];
  double y[kPoints];
};

Stroke StrokeOf(int label) {
  Random random(1, static_cast<uint64_t>(label));
  Stroke stroke;
  double angle = random.Uniform(0.0, 2.0 * std::numbers::pi);
  double x = 0.0, y = 0.0;
  for (int i = 0; i < kPoints; ++i) {
    stroke.x[i] = x;
    stroke.y[i] = y;
    angle += random.Uniform(-0.5, 0.7);
    x = std::clamp(x + std::cos(angle), -9.0, 9.0);
    y = std::clamp(y + std::sin(angle), -9.0, 9.0);
  }
  return stroke;
}

// Ink that fades towards the edge of the pen.
void Dab(double x, double y, float* image) {
  constexpr double kRadius = 2.5;
  const int left = static_cast<int>(x - kRadius), top = static_cast<int>(y - kRadius);
  for (int i = std::max(top, 0); i <= std::min<int>(top + 5, kSide - 1); ++i) {
    for (int j = std::max(left, 0); j <= std::min<int>(left + 5, kSide - 1); ++j) {
      const double ink = 1.5 * (1.0 - std::hypot(x - j, y - i) / kRadius);
      float& pixel = image[i * kSide + j];
      pixel = std::max(pixel, static_cast<float>(std::clamp(ink, 0.0, 1.0)));
    }
  }
}

void Draw(const Stroke& stroke, Random& random, float* image) {
  double x = kSide / 2 + random.Uniform(-3.0, 3.0);
  double y = kSide / 2 + random.Uniform(-3.0, 3.0);
  for (int i = 0; i < kPoints; ++i) {
    x += random.Uniform(-0.3, 0.3);
    y += random.Uniform(-0.3, 0.3);
    Dab(x + stroke.x[i], y + stroke.y[i], image);
  }
}

}  // namespace

Examples MadeUpDigits() {
  std::vector<Stroke> strokes;
  for (int label = 0; label < kClasses; ++label) strokes.push_back(StrokeOf(label));
  Random random(1, kClasses);
  Examples examples;
  examples.features.setZero(kRows, kSide * kSide);
  for (int i = 0; i < kRows; ++i) {
    examples.labels.push_back(i % kClasses);
    Draw(strokes[static_cast<size_t>(i % kClasses)], random, examples.features.row(i).data());
  }
  return examples;
}

Examples ReadMnist(const std::string& folder) {
  auto source = OpenIdx({.images = folder + "/train-images-idx3-ubyte.gz",
                         .labels = folder + "/train-labels-idx1-ubyte.gz"});
  ExampleBlock block;
  if (!source.ok() || !(*source)->Read((*source)->header().rows(), block).ok()) {
    std::fprintf(stderr, "no MNIST in %s\n", folder.c_str());
    std::exit(1);
  }
  Examples examples;
  examples.labels = block.labels;
  examples.features = Eigen::Map<const Matrix<uint8_t>>(
                          reinterpret_cast<const uint8_t*>(block.features.data()),
                          static_cast<Eigen::Index>(block.labels.size()), kSide * kSide)
                          .cast<float>() /
                      255.0f;
  return examples;
}

Examples NegativesOf(const Examples& digits) {
  Examples negatives;
  negatives.labels = digits.labels;
  negatives.features = 1.0f - digits.features.array();
  return negatives;
}

}  // namespace mlp::bench

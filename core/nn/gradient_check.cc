#include "core/nn/gradient_check.h"

#include <cmath>
#include <numeric>
#include <set>
#include <vector>

#include "core/base/random.h"

namespace mlp {
namespace {

// Keeps these draws apart from other uses of the same seed ("grad" in ASCII).
constexpr uint64_t kRandomStream = 0x67726164;

// `samples` different indices in [0, size), rising; all of them where `samples` is 0 or no less.
std::vector<int64_t> PickEntries(int64_t size, int64_t samples, int64_t seed) {
  if (samples <= 0 || samples >= size) {
    std::vector<int64_t> all(static_cast<size_t>(size));
    std::iota(all.begin(), all.end(), int64_t{0});
    return all;
  }
  // Floyd's algorithm: each index with the same probability, memory for the picked ones only.
  Random random(seed, kRandomStream);
  std::set<int64_t> picked;
  for (int64_t bound = size - samples + 1; bound <= size; ++bound) {
    const auto index = static_cast<int64_t>(random.Below(static_cast<uint64_t>(bound)));
    if (!picked.insert(index).second) picked.insert(bound - 1);
  }
  return {picked.begin(), picked.end()};
}

}  // namespace

double GradientCheck(
    absl::FunctionRef<double(const Vector<double>& theta, Vector<double>* gradient)>
        cost_and_gradient,
    const Vector<double>& theta, const GradientCheckOptions& options) {
  Vector<double> gradient(theta.size());
  cost_and_gradient(theta, &gradient);

  Vector<double> moved = theta;
  const double h = options.step;
  double difference_squared = 0.0;
  double numeric_squared = 0.0;
  double analytic_squared = 0.0;
  for (const int64_t j : PickEntries(theta.size(), options.samples, options.seed)) {
    const auto cost_at = [&](double offset) {
      moved[j] = theta[j] + offset;
      return cost_and_gradient(moved, nullptr);
    };
    const double near = cost_at(h) - cost_at(-h);
    const double far = cost_at(2 * h) - cost_at(-2 * h);
    moved[j] = theta[j];
    const double numeric = (8 * near - far) / (12 * h);
    difference_squared += (numeric - gradient[j]) * (numeric - gradient[j]);
    numeric_squared += numeric * numeric;
    analytic_squared += gradient[j] * gradient[j];
  }
  const double scale = std::sqrt(numeric_squared) + std::sqrt(analytic_squared);
  return scale == 0.0 ? 0.0 : std::sqrt(difference_squared) / scale;
}

}  // namespace mlp

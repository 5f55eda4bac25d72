#include "core/nn/initialization.h"

#include <cmath>

#include "core/base/random.h"
#include "core/nn/network.h"

namespace mlp {
namespace {

// Keeps these draws apart from other uses of the same seed ("init" in ASCII).
constexpr uint64_t kRandomStream = 0x696E6974;

}  // namespace

Vector<double> InitialParameters(const Topology& topology, const InitializationOptions& options,
                                 int64_t seed) {
  const ParameterLayout layout(topology);
  Random random(seed, kRandomStream);
  Vector<double> theta = Vector<double>::Zero(layout.size);
  for (const ParameterLayout::Layer& layer : layout.layers) {
    const double in = layer.inputs;
    const double out = layer.outputs;
    switch (options.kind) {
      case InitializationKind::kUniform:
        for (int64_t i = layer.weights; i < layer.biases + layer.outputs; ++i) {
          theta[i] = random.Uniform(-options.epsilon, options.epsilon);
        }
        break;
      case InitializationKind::kGlorot: {
        const double half_width = std::sqrt(6.0 / (in + out));
        for (int64_t i = layer.weights; i < layer.biases; ++i) {
          theta[i] = random.Uniform(-half_width, half_width);
        }
        break;
      }
      case InitializationKind::kHe: {
        const double deviation = std::sqrt(2.0 / in);
        for (int64_t i = layer.weights; i < layer.biases; ++i) {
          theta[i] = deviation * random.Normal();
        }
        break;
      }
    }
  }
  return theta;
}

}  // namespace mlp

// Seeded random initial weights.
#pragma once

#include <cstdint>

#include "core/base/matrix.h"
#include "core/nn/topology.h"

namespace mlp {

enum class InitializationKind {
  kUniform,  // U(-epsilon, epsilon), biases too, as in the classic digit exercise
  kGlorot,   // U(+-sqrt(6 / (in + out))), biases 0 (Glorot and Bengio 2010, eq. 16)
  kHe,       // N(0, 2 / in), biases 0 (He et al. 2015, eq. 10)
};

struct InitializationOptions {
  InitializationKind kind = InitializationKind::kGlorot;
  double epsilon = 0.12;  // half-width of kUniform
};

// Theta for `topology`, laid out as ParameterLayout says. Same arguments, same values.
Vector<double> InitialParameters(const Topology& topology, const InitializationOptions& options,
                                 int64_t seed);

}  // namespace mlp

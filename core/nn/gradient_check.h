// Compares backpropagation with central differences, in double.
#pragma once

#include <cstdint>

#include <absl/functional/function_ref.h>
#include <absl/types/span.h>

#include "core/base/matrix.h"

namespace mlp {

struct GradientCheckOptions {
  // Entries compared, picked at random by `seed`; 0 compares all.
  int64_t samples = 0;
  int64_t seed = 1;
  double step = 1e-4;
};

// `cost_and_gradient(theta, gradient)` returns J and, unless `gradient` is null, writes dJ/dTheta.
// Returns ||numeric - analytic|| / (||numeric|| + ||analytic||) over the compared entries (0 where
// both vanish). The numeric side is the fourth-order central difference
// (8 [J(+h) - J(-h)] - [J(+2h) - J(-2h)]) / (12 h).
double GradientCheck(
    absl::FunctionRef<double(const Vector<double>& theta, Vector<double>* gradient)>
        cost_and_gradient,
    const Vector<double>& theta, const GradientCheckOptions& options);

}  // namespace mlp

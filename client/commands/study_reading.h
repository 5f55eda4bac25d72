// What the costs of a lambda or learning curve say about bias and variance.
#pragma once

#include <string>

#include "mlp/v1/training.pb.h"

namespace mlp {

// Validation cost this many times the training cost, or more, is high variance.
inline constexpr double kHighVariance = 1.5;

// Two lines on the run with the lowest validation cost of a lambda curve, or the one with the most
// examples of a learning curve: how far validation and training cost are apart with what that is
// called, and what may help. Empty where no run has costs.
std::string ReadCurve(const v1::Study& study, const v1::TrainingResult& result);

}  // namespace mlp

// The gradient check of a training before it starts: backpropagation against central differences,
// on the training's own network and examples.
#pragma once

#include <cstddef>
#include <stop_token>

#include <absl/status/statusor.h>

#include "core/base/thread_pool.h"
#include "core/data/examples.h"
#include "core/train/training_config.h"

namespace mlp {

// Rows that are enough for the check.
inline constexpr size_t kGradientCheckRows = 64;

// The relative error (see GradientCheck) of 200 random entries of the gradient over `examples` (at
// least 1, and few: the first kGradientCheckRows of a training), near the weights `start`, in
// double, of J without l1. FAILED_PRECONDITION where it is 1e-6 or more; CANCELLED once `stop` is
// requested.
absl::StatusOr<double> CheckGradientAtStart(const TrainingConfig& config,
                                            const Vector<double>& start, const Examples& examples,
                                            ThreadPool& pool, const std::stop_token& stop);

}  // namespace mlp

// The gradient check of a training before it starts: backpropagation against central differences,
// on the training's own network and examples.
#pragma once

#include <stop_token>

#include <absl/status/statusor.h>

#include "core/base/thread_pool.h"
#include "core/data/examples.h"
#include "core/train/training_config.h"

namespace mlp {

// The relative error (see GradientCheck) of 200 random entries of the gradient over at most the
// first 64 rows of `examples` (at least 1), in double. FAILED_PRECONDITION where it is 1e-6 or
// more; CANCELLED once `stop` is requested.
absl::StatusOr<double> CheckGradientAtStart(const TrainingConfig& config, const Examples& examples,
                                            ThreadPool& pool, const std::stop_token& stop);

}  // namespace mlp

// What comes out of an optimization, full-batch or on mini-batches, before it is evaluated.
#pragma once

#include <string>

#include "core/base/matrix.h"
#include "core/optim/optimizer.h"

namespace mlp {

struct TrainedWeights {
  StopReason reason = StopReason::kConverged;
  std::string message;  // for people: why it ended
  VectorF theta;        // the best weights seen
  int iterations = 0;
  int best_iteration = 0;  // the one that `theta` is of
  double initial_cost = 0.0;
  double final_cost = 0.0;  // J of `theta`
  double seconds = 0.0;     // wall time
};

}  // namespace mlp

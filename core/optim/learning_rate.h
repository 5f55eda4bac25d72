// How the learning rate changes over a mini-batch training: warm-up, then a schedule.
#pragma once

#include <cstdint>

#include "core/optim/optimizer.h"

namespace mlp {

// The length of a training in steps.
struct TrainingLength {
  int64_t steps_per_epoch = 1;  // at least 1
  int max_epochs = 1;           // at least 1
};

// The rate of the step after `step` others. With W steps of warm-up (warm_up_epochs, a part of an
// epoch counts) it is learning_rate times
//   step < W:     (step + 1) / W, as in Goyal et al. 2017, 2.2;
// and t = step - W steps after the warm-up, e epochs (t / steps_per_epoch),
//   kConstant:    1;
//   kStep:        factor^floor(e / step_epochs);
//   kExponential: factor^e;
//   kCosine:      f + (1 - f) (1 + cos(pi t / T)) / 2, f the final_fraction and T the steps from
//                 the warm-up's end to that of the last epoch (Loshchilov and Hutter 2017, (5),
//                 without restarts).
// Depends on its arguments alone, so a training that is taken up again goes on with the same rates.
double LearningRateAt(const OptimizerOptions& options, const TrainingLength& length, int64_t step);

}  // namespace mlp

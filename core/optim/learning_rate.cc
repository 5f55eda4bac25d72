#include "core/optim/learning_rate.h"

#include <cmath>
#include <numbers>

namespace mlp {
namespace {

// What the schedule multiplies the rate by, `steps` after the warm-up and `steps_left` before the
// end of the last epoch.
double ScheduleFactor(const ScheduleOptions& schedule, double steps, double steps_left,
                      double steps_per_epoch) {
  const double epochs = steps / steps_per_epoch;
  switch (schedule.kind) {
    case ScheduleKind::kConstant:
      return 1.0;
    case ScheduleKind::kStep:
      return std::pow(schedule.factor, std::floor(epochs / schedule.step_epochs));
    case ScheduleKind::kExponential:
      return std::pow(schedule.factor, epochs);
    case ScheduleKind::kCosine: {
      const double done = steps / (steps + steps_left);
      const double wave = 0.5 * (1.0 + std::cos(std::numbers::pi * done));
      return schedule.final_fraction + (1.0 - schedule.final_fraction) * wave;
    }
  }
  return 1.0;
}

}  // namespace

double LearningRateAt(const OptimizerOptions& options, const TrainingLength& length, int64_t step) {
  const ScheduleOptions& schedule = options.schedule;
  const auto steps_per_epoch = static_cast<double>(length.steps_per_epoch);
  const auto done = static_cast<double>(step);
  const double warm_up = schedule.warm_up_epochs * steps_per_epoch;
  if (done < warm_up) return options.learning_rate * std::fmin(1.0, (done + 1.0) / warm_up);
  const double left = steps_per_epoch * length.max_epochs - done;
  return options.learning_rate * ScheduleFactor(schedule, done - warm_up, left, steps_per_epoch);
}

}  // namespace mlp

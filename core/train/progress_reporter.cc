#include "core/train/progress_reporter.h"

#include <algorithm>

namespace mlp {

ProgressReporter::ProgressReporter(const StoppingOptions& stopping, const Clock& clock,
                                   ProgressObserver* observer, int iterations_before,
                                   double seconds_before)
    : max_iterations_(stopping.max_iterations),
      time_limit_seconds_(absl::ToDoubleSeconds(stopping.time_limit)),
      clock_(clock),
      observer_(observer),
      began_(clock.Elapsed()),
      iterations_before_(iterations_before),
      seconds_before_(seconds_before),
      elapsed_seconds_(seconds_before) {}

double ProgressReporter::seconds() const {
  return seconds_before_ + absl::ToDoubleSeconds(clock_.Elapsed() - began_);
}

void ProgressReporter::Report(ProgressPoint point, double examples) {
  if (observer_ == nullptr) return;
  point.elapsed_seconds = seconds();
  if (point.iteration > 0) {
    const double spent = point.elapsed_seconds - elapsed_seconds_;
    if (spent > 0.0) point.examples_per_second = (examples - examples_) / spent;
    point.seconds_left = SecondsLeft(point);
  }
  examples_ = examples;
  elapsed_seconds_ = point.elapsed_seconds;
  observer_->OnProgress(point);
}

double ProgressReporter::SecondsLeft(const ProgressPoint& point) const {
  // The pace since this process began: the machine before it may have been another.
  const int iterations = std::max(point.iteration - iterations_before_, 1);
  const double pace = (point.elapsed_seconds - seconds_before_) / iterations;
  const double to_last_iteration = pace * (max_iterations_ - point.iteration);
  return std::max(std::min(to_last_iteration, time_limit_seconds_ - point.elapsed_seconds), 0.0);
}

}  // namespace mlp

// Puts the times into the progress points of one training and hands them on.
#pragma once

#include "core/base/clock.h"
#include "core/optim/optimizer.h"
#include "core/train/progress.h"

namespace mlp {

// Thread-compatible.
class ProgressReporter {
 public:
  // Time begins now, after `seconds_before` that were spent on `iterations_before`, where the
  // training was taken up again. Keeps references; `observer` may be null.
  ProgressReporter(const StoppingOptions& stopping, const Clock& clock, ProgressObserver* observer,
                   int iterations_before = 0, double seconds_before = 0.0);

  // Since training began.
  double seconds() const;

  // Completes `point` with its times and reports it. `examples` have been through the network since
  // the construction, the same ones several times.
  void Report(ProgressPoint point, double examples);

 private:
  // Until the last iteration or the time limit, at the pace so far.
  double SecondsLeft(const ProgressPoint& point) const;

  const int max_iterations_;
  const double time_limit_seconds_;  // infinity: none
  const Clock& clock_;
  ProgressObserver* const observer_;
  const absl::Duration began_;
  const int iterations_before_;
  const double seconds_before_;
  // Of the newest point.
  double examples_ = 0.0;
  double elapsed_seconds_;
};

}  // namespace mlp

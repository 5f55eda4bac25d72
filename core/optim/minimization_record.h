// What one minimization has done so far and whether it must end: the part of Minimize that does not
// depend on the library behind it.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "core/base/clock.h"
#include "core/optim/optimizer.h"
#include "core/optim/stopping_rules.h"

namespace mlp {

// Every evaluation of J goes through Evaluate, every accepted step through Accept; either may find
// a reason to stop, after which Evaluate computes nothing more and Finish is called.
// Thread-compatible.
class MinimizationRecord {
 public:
  // Keeps references to all but `stopping` and `start`.
  MinimizationRecord(CostFunction& cost, const MinimizationStart& start,
                     const StoppingOptions& stopping, const Clock& clock, std::stop_token stop,
                     StepObserver* observer);
  ~MinimizationRecord();
  MinimizationRecord(const MinimizationRecord&) = delete;
  MinimizationRecord& operator=(const MinimizationRecord&) = delete;

  // Computes J, and the gradient where it is not null. False, with nothing to be used, where the
  // minimization must end now (cancelled, out of time) or J or the gradient is not finite.
  bool Evaluate(const double* theta, double* cost, double* gradient);

  // Takes in the next accepted step (the first one is the start), tells the observer and decides
  // whether to go on. `gradient_max` is the largest absolute entry.
  void Accept(const double* theta, double cost, double gradient_norm, double gradient_max,
              double step);

  // Nothing was accepted yet, not even the start.
  bool empty() const { return accepted_ == 0; }
  // Whether a reason to stop was found.
  bool stopped() const { return reason_.has_value(); }
  // The lowest J was accepted at this Theta.
  bool IsBest(const double* theta) const;

  // The line search found no lower J: DIVERGED where what it tried last was not finite or had run
  // away, else CONVERGED. `details` is the library's message.
  void StopWithoutDecrease(const std::string& details);

  OptimizerResult Finish() &&;

 private:
  // The first reason stays.
  void Stop(StopReason reason, std::string message);
  // Empty where `cost` has not.
  std::string HowItRanAway(double cost) const;
  // Cancelled or out of time. Thread-safe.
  bool Interrupted() const;
  // The same, and takes it as the reason to stop.
  bool MustEnd();

  CostFunction& cost_;
  const StoppingOptions stopping_;
  const Clock& clock_;
  const std::stop_token stop_;
  StepObserver* const observer_;
  const absl::Duration began_;

  OptimizerResult result_;
  const int first_iteration_;
  CostConvergence convergence_;
  int accepted_ = 0;  // the start included
  // Of the newest evaluation: why it is no good, empty where it is good.
  std::string fault_;
  std::optional<StopReason> reason_;
};

}  // namespace mlp

#include "core/optim/minimization_record.h"

#include <cmath>
#include <utility>

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

namespace mlp {
namespace {

// Squares and products of gradients must stay finite, for Ceres ends the process where its line
// search meets an infinite slope. A gradient that long is an overflow on its way.
constexpr double kLargestGradientNormSquared = 1e200;

}  // namespace

MinimizationRecord::MinimizationRecord(CostFunction& cost, const MinimizationStart& start,
                                       const StoppingOptions& stopping, const Clock& clock,
                                       std::stop_token stop, StepObserver* observer)
    : cost_(cost),
      stopping_(stopping),
      clock_(clock),
      stop_(std::move(stop)),
      observer_(observer),
      began_(clock.Elapsed() - start.elapsed),
      first_iteration_(start.iteration),
      convergence_(stopping.cost_tolerance, stopping.cost_window, "iterations") {
  // What is returned where not even the start can be evaluated.
  result_.initial_cost = std::nan("");
  result_.best_cost = std::nan("");
  result_.best_theta = start.theta;
  result_.iterations = result_.best_iteration = start.iteration;
  cost_.InterruptWhen([this] { return Interrupted(); });
}

MinimizationRecord::~MinimizationRecord() { cost_.InterruptWhen(nullptr); }

bool MinimizationRecord::Evaluate(const double* theta, double* cost, double* gradient) {
  if (stopped() || MustEnd()) return false;
  *cost = cost_.Evaluate(theta, gradient);
  ++result_.cost_evaluations;
  fault_.clear();
  if (!std::isfinite(*cost)) {
    if (MustEnd()) return false;  // the evaluation was interrupted
    fault_ = absl::StrCat("J is ", *cost);
  } else if (gradient != nullptr) {
    const double norm_squared = ConstVectorMap<double>(gradient, cost_.size()).squaredNorm();
    // Also false for NaN.
    if (!(norm_squared <= kLargestGradientNormSquared)) {
      fault_ = absl::StrCat("the gradient is ", std::isnan(norm_squared) ? "nan" : "inf");
    }
  }
  if (fault_.empty()) {
    // Not the end yet: the line search may find a lower J nearer by.
    fault_ = HowItRanAway(*cost);
    return true;
  }
  if (empty()) {
    // There is no start to step from, so no line search to shorten the step.
    result_.initial_cost = *cost;
    if (std::isfinite(*cost)) result_.best_cost = *cost;
    Stop(StopReason::kDiverged, absl::StrCat("iteration ", first_iteration_, ": ", fault_));
  }
  return false;
}

void MinimizationRecord::Accept(const double* theta, double cost, double gradient_norm,
                                double gradient_max, double step) {
  const ConstVectorMap<double> accepted(theta, cost_.size());
  if (empty()) result_.initial_cost = cost;
  result_.iterations = first_iteration_ + accepted_;
  if (empty() || cost < result_.best_cost) {
    result_.best_cost = cost;
    result_.best_theta = accepted;
    result_.best_iteration = result_.iterations;
  }
  ++accepted_;

  std::optional<StopVerdict> verdict;
  if (observer_ != nullptr) {
    verdict = observer_->OnStep({.iteration = result_.iterations,
                                 .cost = cost,
                                 .gradient_norm = gradient_norm,
                                 .step = step,
                                 .cost_evaluations = result_.cost_evaluations,
                                 .theta = theta});
  }

  if (gradient_max <= stopping_.gradient_tolerance) {
    Stop(StopReason::kConverged,
         absl::StrFormat("the largest gradient entry, %.3g, is within the tolerance of %.3g",
                         gradient_max, stopping_.gradient_tolerance));
  } else if (std::string converged = convergence_.Add(cost); !converged.empty()) {
    Stop(StopReason::kConverged, std::move(converged));
  } else if (const std::string runaway = HowItRanAway(cost); !runaway.empty()) {
    Stop(StopReason::kDiverged, absl::StrCat("iteration ", result_.iterations, ": ", runaway));
  } else if (verdict.has_value()) {
    Stop(verdict->reason, std::move(verdict->message));
  } else if (!MustEnd() && result_.iterations >= stopping_.max_iterations) {
    Stop(StopReason::kMaxIterations,
         absl::StrCat("reached the limit of ", stopping_.max_iterations, " iterations"));
  }
}

bool MinimizationRecord::IsBest(const double* theta) const {
  return !empty() && result_.best_theta == ConstVectorMap<double>(theta, cost_.size());
}

void MinimizationRecord::StopWithoutDecrease(const std::string& details) {
  if (fault_.empty()) {
    Stop(StopReason::kConverged,
         absl::StrCat("no further decrease of J was found at float precision (", details, ")"));
  } else {
    Stop(StopReason::kDiverged, absl::StrCat("iteration ", first_iteration_ + accepted_, ": ",
                                             fault_, " however short the step (", details, ")"));
  }
}

void MinimizationRecord::Stop(StopReason reason, std::string message) {
  if (stopped()) return;
  reason_ = reason;
  result_.message = std::move(message);
}

OptimizerResult MinimizationRecord::Finish() && {
  result_.reason = reason_.value_or(StopReason::kConverged);
  return std::move(result_);
}

std::string MinimizationRecord::HowItRanAway(double cost) const {
  return empty() ? "" : mlp::HowItRanAway(result_.initial_cost, cost);
}

bool MinimizationRecord::Interrupted() const {
  return stop_.stop_requested() || clock_.Elapsed() - began_ >= stopping_.time_limit;
}

bool MinimizationRecord::MustEnd() {
  if (stop_.stop_requested()) {
    Stop(StopReason::kCancelled, "cancelled");
  } else if (clock_.Elapsed() - began_ >= stopping_.time_limit) {
    Stop(StopReason::kTimeLimit,
         absl::StrCat("reached the time limit of ", absl::FormatDuration(stopping_.time_limit)));
  }
  return stopped();
}

}  // namespace mlp

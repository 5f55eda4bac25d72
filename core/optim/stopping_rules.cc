#include "core/optim/stopping_rules.h"

#include <cmath>

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

namespace mlp {
namespace {

constexpr double kRunawayFactor = 1e6;

}  // namespace

std::string HowItRanAway(double initial_cost, double cost) {
  if (cost <= kRunawayFactor * (std::abs(initial_cost) + 1.0)) return "";
  return absl::StrCat("J ran away from ", initial_cost, " to ", cost);
}

std::string CostConvergence::Add(double cost) {
  std::string sentence;
  if (recent_.size() == static_cast<size_t>(window_)) {
    const double change = std::abs(recent_.front() - cost);
    const double tolerated = tolerance_ * std::abs(recent_.front());
    if (change <= tolerated) {
      const std::string span =
          window_ == 1 ? "" : absl::StrCat(" over the last ", window_, " ", unit_);
      sentence = absl::StrFormat("J changed by %.3g%s, within the tolerance of %.3g", change, span,
                                 tolerated);
    }
    recent_.erase(recent_.begin());
  }
  recent_.push_back(cost);
  return sentence;
}

std::string EarlyStopping::Add(double validation_cost) {
  // The first cost is an improvement whatever it is, and inf - x is inf.
  if (validation_cost < memory_.lowest - min_improvement_) {
    memory_ = {.lowest = validation_cost, .iterations_since = 0};
    return "";
  }
  ++memory_.iterations_since;
  if (patience_ == 0 || memory_.iterations_since < patience_) return "";
  return absl::StrFormat("the validation cost has not fallen below %.6g for %d %s", memory_.lowest,
                         memory_.iterations_since, unit_);
}

}  // namespace mlp

// Stopping rules that look at the costs of a training, an iteration (epoch) after the other.
#pragma once

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <absl/strings/string_view.h>

namespace mlp {

// Where J has run away, over 1e6 times its initial value (plus one): a sentence that says so; else
// empty.
std::string HowItRanAway(double initial_cost, double cost);

// J has converged: it hardly changed over a window of iterations. Thread-compatible.
class CostConvergence {
 public:
  // `window` is at least 1. `unit` is what a sentence counts: `iterations`, a literal.
  CostConvergence(double tolerance, int window, absl::string_view unit)
      : tolerance_(tolerance), window_(window), unit_(unit) {}

  // Takes in J of the next iteration. Where it differs from J `window` iterations ago by at most
  // `tolerance` times that J: a sentence that says so; else empty.
  std::string Add(double cost);

  // The newest costs, at most `window`, oldest first: all that is remembered.
  const std::vector<double>& recent() const { return recent_; }
  void Restore(std::vector<double> recent) { recent_ = std::move(recent); }

 private:
  double tolerance_;
  int window_;
  absl::string_view unit_;
  std::vector<double> recent_;
};

// The validation cost has stopped falling (Prechelt, "Early stopping - but when?", 1998, the class
// UP of criteria, with strips of one iteration). Thread-compatible.
class EarlyStopping {
 public:
  // All that is remembered.
  struct Memory {
    double lowest = std::numeric_limits<double>::infinity();
    int iterations_since = 0;  // the lowest
    bool operator==(const Memory&) const = default;
  };

  // A `patience` of 0 means never. `unit` as above.
  EarlyStopping(int patience, double min_improvement, absl::string_view unit)
      : patience_(patience), min_improvement_(min_improvement), unit_(unit) {}

  // Takes in the validation cost of the next iteration. A cost that is lower than the lowest so far
  // by more than min_improvement is an improvement; after `patience` in a row that are none: a
  // sentence that says so; else empty. NaN is no improvement.
  std::string Add(double validation_cost);

  const Memory& memory() const { return memory_; }
  void Restore(const Memory& memory) { memory_ = memory; }

 private:
  int patience_;
  double min_improvement_;
  absl::string_view unit_;
  Memory memory_;
};

}  // namespace mlp

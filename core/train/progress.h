// What a running training reports.
#pragma once

#include <cstdint>
#include <optional>

namespace mlp {

// An iteration is an accepted step of a full-batch optimizer, an epoch of a mini-batch one.
struct ProgressPoint {
  int iteration = 0;  // 0 is the network as initialized
  // J on the training part, with regularization. Mini-batches: the mean over the epoch's steps,
  // each before it was made, with the penalties at its end.
  double cost = 0.0;
  std::optional<double> validation_cost = {};  // J on the validation part, without regularization
  // Euclidean. Mini-batches: the root of the mean square over the epoch's steps; 0 at iteration 0.
  double gradient_norm = 0.0;
  double step = 0.0;                        // line-search step length, or learning rate
  int64_t cost_evaluations = 0;             // so far; steps, for mini-batches
  double elapsed_seconds = 0.0;             // since training began
  double examples_per_second = 0.0;         // of the training part, since the point before
  std::optional<double> seconds_left = {};  // at most, at this pace; unset at iteration 0
};

// Called on the training thread after each iteration; must be quick and must not block.
class ProgressObserver {
 public:
  virtual ~ProgressObserver() = default;
  virtual void OnProgress(const ProgressPoint& point) = 0;
};

}  // namespace mlp

// What a running training reports.
#pragma once

#include <cstdint>
#include <optional>

namespace mlp {

struct ProgressPoint {
  int iteration = 0;                      // 0 is the network as initialized
  double cost = 0.0;                      // J on the training part, with regularization
  std::optional<double> validation_cost;  // J on the validation part, without regularization
  double gradient_norm = 0.0;             // Euclidean
  double step = 0.0;                      // line-search step length
  int64_t cost_evaluations = 0;           // so far
  double elapsed_seconds = 0.0;           // since training began
};

// Called on the training thread after each accepted step; must be quick and must not block.
class ProgressObserver {
 public:
  virtual ~ProgressObserver() = default;
  virtual void OnProgress(const ProgressPoint& point) = 0;
};

}  // namespace mlp

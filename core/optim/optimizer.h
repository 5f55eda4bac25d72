// Minimizers: given J and its gradient they look for the Theta where J is smallest. The full-batch
// ones are a library's work (Ceres Solver); here is its interface and what we ask of it. Mini-batch
// optimizers share the options; they are core/train's.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "core/base/clock.h"
#include "core/base/matrix.h"

namespace mlp {

enum class OptimizerKind {
  kLbfgs,              // Nocedal and Wright, "Numerical Optimization", algorithm 7.5
  kConjugateGradient,  // Polak-Ribiere, ibid. (5.44)
  kSgd,                // the three on mini-batches: core/optim/update_rule.h
  kAdam,
  kAdamW,
};

// True for the optimizers that step on mini-batches, whose iterations are epochs.
bool OnMiniBatches(OptimizerKind kind);

enum class ScheduleKind { kConstant, kStep, kExponential, kCosine };

struct ScheduleOptions {
  ScheduleKind kind = ScheduleKind::kConstant;
  int step_epochs = 10;         // kStep
  double factor = 0.1;          // kStep and kExponential
  double final_fraction = 0.0;  // kCosine
  double warm_up_epochs = 0.0;
};

// Ranges and meanings are those of OptimizerConfig in training.proto.
struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::kLbfgs;
  int lbfgs_history = 20;
  // All that follows: mini-batch optimizers alone.
  int batch_size = 128;
  double learning_rate = 0.1;
  double momentum = 0.9;
  bool nesterov = false;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.0;  // decoupled; biases left out
  ScheduleOptions schedule = {};
  double max_gradient_norm = 0.0;  // 0: no limit
  int average_last_epochs = 0;     // 0: the weights themselves
};

struct StoppingOptions {
  int max_iterations = 1000;         // epochs, for mini-batch optimizers
  double cost_tolerance = 1e-6;      // converged: |J change| <= cost_tolerance * J over cost_window
  int cost_window = 1;               // iterations
  double gradient_tolerance = 1e-7;  // converged: largest absolute gradient entry <= this
  int patience = 0;                  // early stopping on the validation cost; 0: never
  double min_improvement = 0.0;
  absl::Duration time_limit = absl::InfiniteDuration();
};

enum class StopReason {
  kConverged,
  kMaxIterations,
  kTimeLimit,
  kEarlyStopped,
  kCancelled,
  kDiverged,  // J or the gradient is NaN or infinite, or J ran away
};

// J and its gradient. Thread-compatible.
class CostFunction {
 public:
  virtual ~CostFunction() = default;
  // Length of Theta.
  virtual int64_t size() const = 0;
  // Returns J(theta); where `gradient` is not null writes dJ/dTheta [size].
  virtual double Evaluate(const double* theta, double* gradient) = 0;
  // While `interrupted` (thread-safe, quick; may be empty) says true, Evaluate may end early with
  // NaN: its caller wants no value any more. A cost that is quickly evaluated need not ask.
  virtual void InterruptWhen(std::function<bool()> /*interrupted*/) {}
};

// One accepted step.
struct OptimizerStep {
  int iteration = 0;  // that of the start, then the next ones
  double cost = 0.0;
  double gradient_norm = 0.0;  // Euclidean
  // Step length of the line search; 0 at the start, and on a last step that ends with a gradient or
  // a change of J of exactly 0.
  double step = 0.0;
  int64_t cost_evaluations = 0;   // so far
  const double* theta = nullptr;  // [size], valid during the call
};

// Why a minimization ends.
struct StopVerdict {
  StopReason reason = StopReason::kConverged;
  std::string message;  // for people
};

class StepObserver {
 public:
  virtual ~StepObserver() = default;
  // May end the minimization with this step: how rules join in that look at other things than J,
  // such as early stopping. Where J has converged or run away, that is the reason.
  virtual std::optional<StopVerdict> OnStep(const OptimizerStep& step) = 0;
};

// Where a minimization begins: at Theta, and where it goes on from there after others, with their
// iterations and time in the count.
struct MinimizationStart {
  Vector<double> theta;
  int iteration = 0;
  absl::Duration elapsed = absl::ZeroDuration();
};

struct OptimizerResult {
  StopReason reason = StopReason::kConverged;
  int iterations = 0;  // accepted steps, with those before the start
  int64_t cost_evaluations = 0;
  double initial_cost = 0.0;
  // The lowest finite J of all accepted steps, and its Theta; on every exit path. Where not even
  // the start was accepted (cancelled before it, or J not finite there): the start, with a
  // best_cost of NaN.
  double best_cost = 0.0;
  Vector<double> best_theta;
  int best_iteration = 0;
  // For people: what the library said, or at which iteration what became NaN.
  std::string message;
};

// Thread-compatible.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  // Minimizes `cost` from `start`, with nothing remembered of steps before it. Returns within one
  // evaluation of `stop` being requested or the time limit being reached. A cost that is not finite
  // at `start` is kDiverged at iteration 0; later, a trial of the line search that is not finite is
  // only too long, and kDiverged is the end of a search where every shorter one is not finite
  // either. J ran away: it is over 1e6 times its initial value (plus one). A search that finds no
  // lower J among finite ones is kConverged: there is none at float precision. `observer` may be
  // null.
  virtual OptimizerResult Minimize(CostFunction& cost, MinimizationStart start,
                                   const StoppingOptions& stopping, std::stop_token stop,
                                   StepObserver* observer) = 0;
};

// For the full-batch kinds.
std::unique_ptr<Optimizer> MakeOptimizer(const OptimizerOptions& options, const Clock& clock);

}  // namespace mlp

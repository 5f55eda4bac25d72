// L-BFGS and nonlinear conjugate gradient by Ceres Solver's GradientProblemSolver.
//
// Ceres chooses directions and steps. When to stop is decided in MinimizationRecord, from the
// iteration callback, and Ceres' own tolerances are 0: Ceres ends a minimization that has converged
// without calling back for its last step, which would be missing from the progress then.
#include <limits>
#include <mutex>
#include <utility>

#include <ceres/ceres.h>
#include <glog/logging.h>

#include "core/optim/minimization_record.h"
#include "core/optim/optimizer.h"

namespace mlp {
namespace {

// Ceres reports through glog, some of it whatever logging_type says (a restarted direction, say),
// and glog writes to stderr. What matters of it reaches our caller as OptimizerResult::message; so
// glog, which only Ceres uses, is told to write nothing below FATAL.
void KeepGlogQuiet() {
  static std::once_flag once;
  std::call_once(once, [] { FLAGS_minloglevel = google::GLOG_FATAL; });
}

// Tells Ceres `scale` times J, and its gradient likewise.
class RecordedFunction final : public ceres::FirstOrderFunction {
 public:
  RecordedFunction(MinimizationRecord& record, int size, double scale)
      : record_(record), size_(size), scale_(scale) {}

  bool Evaluate(const double* theta, double* cost, double* gradient) const override {
    if (!record_.Evaluate(theta, cost, gradient)) return false;
    if (scale_ == 1.0) return true;
    *cost *= scale_;
    if (gradient != nullptr) VectorMap<double>(gradient, size_) *= scale_;
    return true;
  }
  int NumParameters() const override { return size_; }

 private:
  MinimizationRecord& record_;
  const int size_;
  const double scale_;
};

class RecordingCallback final : public ceres::IterationCallback {
 public:
  // `theta` is where Ceres leaves the newest accepted Theta (update_state_every_iteration), and
  // `scale` RecordedFunction's.
  RecordingCallback(MinimizationRecord& record, const double* theta, double scale)
      : record_(record), theta_(theta), scale_(scale) {}

  ceres::CallbackReturnType operator()(const ceres::IterationSummary& summary) override {
    // Directions are as long as gradients, so that a step by the scaled ones is shorter.
    record_.Accept(theta_, summary.cost / scale_, summary.gradient_norm / scale_,
                   summary.gradient_max_norm / scale_, summary.step_size * scale_);
    return record_.stopped() ? ceres::SOLVER_TERMINATE_SUCCESSFULLY : ceres::SOLVER_CONTINUE;
  }

 private:
  MinimizationRecord& record_;
  const double* theta_;
  const double scale_;
};

// The slope that a step of conjugate gradient may leave, as a share of the slope before it (c2 of
// the Wolfe conditions): its directions are only conjugate after a nearly exact line search, where
// L-BFGS does with Ceres' 0.9. The value is Nocedal and Wright's, section 3.1.
constexpr double kConjugateGradientCurvature = 0.1;

// What J is multiplied by for Ceres. A line search first tries the step that changes J by as much
// as the one before did to first order (Nocedal and Wright, (3.60)), which Ceres cuts to 1: the
// step that Newton's directions suggest, where those of conjugate gradient, for a J that is a mean
// over examples, want steps of 10 and every search began with an evaluation for nothing. Such a
// step is 0.01 for 1024 J. A power of two, by which nothing is rounded.
double ScaleOf(OptimizerKind kind) {
  return kind == OptimizerKind::kConjugateGradient ? 1024.0 : 1.0;
}

ceres::GradientProblemSolver::Options SolverOptions(const OptimizerOptions& optimizer) {
  ceres::GradientProblemSolver::Options options;
  if (optimizer.kind == OptimizerKind::kLbfgs) {
    options.line_search_direction_type = ceres::LBFGS;
    options.max_lbfgs_rank = optimizer.lbfgs_history;
    // The initial inverse Hessian is gamma_k I, as Nocedal and Wright have it in (7.20).
    options.use_approximate_eigenvalue_bfgs_scaling = true;
  } else {
    options.line_search_direction_type = ceres::NONLINEAR_CONJUGATE_GRADIENT;
    options.nonlinear_conjugate_gradient_type = ceres::POLAK_RIBIERE;
    options.line_search_sufficient_curvature_decrease = kConjugateGradientCurvature;
  }
  options.line_search_type = ceres::WOLFE;
  options.logging_type = ceres::SILENT;
  options.update_state_every_iteration = true;
  options.max_num_iterations = std::numeric_limits<int>::max();
  options.function_tolerance = 0.0;
  options.gradient_tolerance = 0.0;
  options.parameter_tolerance = 0.0;
  return options;
}

class CeresOptimizer final : public Optimizer {
 public:
  CeresOptimizer(const OptimizerOptions& options, const Clock& clock)
      : options_(options), clock_(clock) {}

  OptimizerResult Minimize(CostFunction& cost, MinimizationStart start,
                           const StoppingOptions& stopping, std::stop_token stop,
                           StepObserver* observer) override {
    KeepGlogQuiet();
    MinimizationRecord record(cost, start, stopping, clock_, std::move(stop), observer);
    Vector<double> theta = std::move(start.theta);
    const double scale = ScaleOf(options_.kind);
    const ceres::GradientProblem problem(
        new RecordedFunction(record, static_cast<int>(cost.size()), scale));
    RecordingCallback callback(record, theta.data(), scale);
    ceres::GradientProblemSolver::Options options = SolverOptions(options_);
    options.callbacks.push_back(&callback);
    ceres::GradientProblemSolver::Summary summary;
    ceres::Solve(options, problem, theta.data(), &summary);

    if (!record.stopped() && summary.termination_type == ceres::CONVERGENCE) {
      // The gradient or the change of J is exactly 0, which is within any tolerance: the one case
      // left where the last step was not called back for.
      TakeLastStep(theta, record);
    }
    if (!record.stopped()) record.StopWithoutDecrease(summary.message);
    return std::move(record).Finish();
  }

 private:
  // Evaluates once more, for Ceres tells neither J nor the gradient of that step, nor its length.
  static void TakeLastStep(const Vector<double>& theta, MinimizationRecord& record) {
    if (record.IsBest(theta.data())) return;
    double cost = 0.0;
    Vector<double> gradient(theta.size());
    if (!record.Evaluate(theta.data(), &cost, gradient.data())) return;
    record.Accept(theta.data(), cost, gradient.norm(), gradient.lpNorm<Eigen::Infinity>(), 0.0);
  }

  const OptimizerOptions options_;
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<Optimizer> MakeOptimizer(const OptimizerOptions& options, const Clock& clock) {
  return std::make_unique<CeresOptimizer>(options, clock);
}

}  // namespace mlp

#include "core/train/full_batch_training.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include <absl/strings/str_cat.h>

#include "core/train/checkpoint.h"
#include "core/train/non_finite_layer.h"
#include "core/train/objective.h"
#include "core/train/progress_reporter.h"

namespace mlp {
namespace {

// An objective that remembers where J was not finite last.
class WatchedObjective final : public CostFunction {
 public:
  explicit WatchedObjective(Objective<float>& objective) : objective_(objective) {}

  int64_t size() const override { return objective_.size(); }
  void InterruptWhen(std::function<bool()> interrupted) override {
    objective_.InterruptWhen(std::move(interrupted));
  }
  double Evaluate(const double* theta, double* gradient) override {
    const double cost = objective_.Evaluate(theta, gradient);
    if (!std::isfinite(cost)) {
      not_finite_ = ConstVectorMap<double>(theta, size()).cast<float>();
    }
    return cost;
  }

  // Theta; empty where there was none.
  const VectorF& not_finite() const { return not_finite_; }

 private:
  Objective<float>& objective_;
  VectorF not_finite_;
};

// Takes each accepted step: validation cost, best weights, progress, checkpoint, early stopping.
class StepRecorder final : public StepObserver {
 public:
  // `progress` is that of a checkpoint or, for a new training, that of its start.
  StepRecorder(const TrainingConfig& config, const TrainingData& data,
               const TrainingContext& context, Checkpoint progress)
      : context_(context),
        training_rows_(static_cast<double>(data.split.training.size())),
        evaluations_before_(progress.cost_evaluations),
        early_stopping_(config.stopping.patience, config.stopping.min_improvement, "iterations"),
        reporter_(config.stopping, context.clock, context.observer, progress.iterations,
                  progress.seconds),
        progress_(std::move(progress)) {
    early_stopping_.Restore(progress_.early_stopping);
    if (!data.split.validation.empty()) {
      validation_ =
          std::make_unique<Objective<float>>(config.topology, config.cost, /*lambda=*/0.0,
                                             RowsOf(data, data.split.validation), context.pool);
    }
  }

  std::optional<StopVerdict> OnStep(const OptimizerStep& step) override {
    // The start of a training that goes on was a step of the training before.
    if (context_.resume != nullptr && step.iteration == context_.resume->iterations) {
      return std::nullopt;
    }
    progress_.iterations = step.iteration;
    progress_.cost_evaluations = evaluations_before_ + step.cost_evaluations;
    if (progress_.iterations == 0) progress_.initial_cost = step.cost;
    const ConstVectorMap<double> theta(step.theta, progress_.theta.size());
    std::optional<double> validation_cost;
    if (validation_ != nullptr) validation_cost = validation_->Evaluate(step.theta, nullptr);
    Keep({.theta = {},
          .iteration = progress_.iterations,
          .cost = step.cost,
          .validation_cost = validation_cost},
         theta);
    reporter_.Report({.iteration = progress_.iterations,
                      .cost = step.cost,
                      .validation_cost = validation_cost,
                      .gradient_norm = step.gradient_norm,
                      .step = step.step,
                      .cost_evaluations = progress_.cost_evaluations},
                     training_rows_ * static_cast<double>(step.cost_evaluations));
    std::string stopped;
    if (validation_cost.has_value()) stopped = early_stopping_.Add(*validation_cost);
    if (context_.checkpoints != nullptr) {
      progress_.theta = theta;
      if (context_.checkpoints->Due()) SaveCheckpoint();
    }
    if (stopped.empty()) return std::nullopt;
    return StopVerdict{StopReason::kEarlyStopped, std::move(stopped)};
  }

  void SaveCheckpoint() {
    progress_.seconds = reporter_.seconds();
    progress_.early_stopping = early_stopping_.memory();
    context_.checkpoints->Save(WriteCheckpoint(progress_, context_.fingerprint));
  }

  const Checkpoint& progress() const { return progress_; }
  double seconds() const { return reporter_.seconds(); }

 private:
  // Where there is a validation part, its cost says which weights are best; else J, which falls
  // with every step.
  void Keep(KeptWeights weights, const ConstVectorMap<double>& theta) {
    KeptWeights& kept = progress_.kept;
    const bool better = weights.validation_cost.has_value()
                            ? IsBetter(*weights.validation_cost, *kept.validation_cost)
                            : IsBetter(weights.cost, kept.cost);
    if (!better && !context_.keep_last) return;
    kept = std::move(weights);
    kept.theta = theta.cast<float>();
  }

  const TrainingContext& context_;
  const double training_rows_;
  const int64_t evaluations_before_;
  std::unique_ptr<Objective<float>> validation_;  // null: there is no such part
  EarlyStopping early_stopping_;
  ProgressReporter reporter_;
  Checkpoint progress_;
};

// Any accepted step is better than the start before its J is known.
Checkpoint StartAt(Vector<double> theta, bool has_validation) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  Checkpoint progress;
  progress.initial_cost = kNan;
  progress.kept = {
      .theta = theta.cast<float>(), .iteration = 0, .cost = kNan, .validation_cost = std::nullopt};
  progress.theta = std::move(theta);
  if (has_validation) progress.kept.validation_cost = kNan;
  return progress;
}

// Where J was not finite; empty where that is not why the minimization diverged.
std::string BrokenLayer(const WatchedObjective& objective, const Topology& topology,
                        const TrainingData& data) {
  if (objective.not_finite().size() == 0) return "";
  const Examples training = GatherPart(data, data.split.training);
  const std::string layer = NonFiniteLayer(
      topology, objective.not_finite(),
      {training.features.data(), training.features.rows(), training.features.cols()});
  return layer.empty() ? "" : absl::StrCat("; ", layer);
}

}  // namespace

TrainedWeights TrainFullBatch(const TrainingConfig& config, const TrainingData& data,
                              Vector<double> start, const TrainingContext& context) {
  Objective<float> objective(config.topology, config.cost, config.lambda,
                             RowsOf(data, data.split.training), context.pool);
  WatchedObjective watched(objective);
  Checkpoint before = context.resume != nullptr
                          ? *context.resume
                          : StartAt(std::move(start), !data.split.validation.empty());
  MinimizationStart begin = {.theta = before.theta,
                             .iteration = before.iterations,
                             .elapsed = absl::Seconds(before.seconds)};
  StepRecorder recorder(config, data, context, std::move(before));
  if (context.resume != nullptr) {
    context.Log(absl::StrCat("resumed from the weights of iteration ", begin.iteration,
                             ", with a fresh memory"));
  }
  OptimizerResult result =
      MakeOptimizer(config.optimizer, context.clock)
          ->Minimize(watched, std::move(begin), config.stopping, context.stop, &recorder);
  if (result.reason == StopReason::kCancelled && context.checkpoints != nullptr) {
    recorder.SaveCheckpoint();
  }
  if (result.reason == StopReason::kDiverged) {
    result.message += BrokenLayer(watched, config.topology, data);
  }

  const Checkpoint& progress = recorder.progress();
  const bool failed =
      result.reason == StopReason::kDiverged || result.reason == StopReason::kCancelled;
  if (!failed && progress.kept.iteration == 0 && progress.iterations > 0) {
    result.message += "; no iteration had a lower validation cost than the start, which was kept";
  }
  // Else not even the start was accepted.
  const bool initial_is_known = !std::isnan(progress.initial_cost);
  return {.reason = result.reason,
          .message = std::move(result.message),
          .theta = progress.kept.theta,
          .iterations = progress.iterations,
          .best_iteration = progress.kept.iteration,
          .initial_cost = initial_is_known ? progress.initial_cost : result.initial_cost,
          // The objective computes J from Theta rounded to float: it is J of just these weights.
          .final_cost = initial_is_known ? progress.kept.cost : result.best_cost,
          .seconds = recorder.seconds()};
}

}  // namespace mlp

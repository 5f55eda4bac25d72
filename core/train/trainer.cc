#include "core/train/trainer.h"

#include <memory>
#include <utility>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "core/data/examples.h"
#include "core/train/objective.h"
#include "core/train/start_check.h"

namespace mlp {
namespace {

// Turns accepted steps into progress points, with the validation cost where there is such a part.
class ProgressReporter final : public StepObserver {
 public:
  // `validation` may be null, `observer` too. Keeps references to all.
  ProgressReporter(Objective<float>* validation, ProgressObserver* observer, const Clock& clock)
      : validation_(validation), observer_(observer), clock_(clock), began_(clock.Elapsed()) {}

  void OnStep(const OptimizerStep& step) override {
    if (observer_ == nullptr) return;
    ProgressPoint point = {.iteration = step.iteration,
                           .cost = step.cost,
                           .validation_cost = std::nullopt,
                           .gradient_norm = step.gradient_norm,
                           .step = step.step,
                           .cost_evaluations = step.cost_evaluations,
                           .elapsed_seconds = 0.0};
    if (validation_ != nullptr) {
      point.validation_cost = validation_->Evaluate(step.theta, nullptr);
    }
    point.elapsed_seconds = seconds();
    observer_->OnProgress(point);
  }

  double seconds() const { return absl::ToDoubleSeconds(clock_.Elapsed() - began_); }

 private:
  Objective<float>* const validation_;
  ProgressObserver* const observer_;
  const Clock& clock_;
  const absl::Duration began_;
};

// Runs the optimizer and fills in all of `outcome` but the scaler and the evaluations.
void Optimize(const TrainingConfig& config, const Examples& training, const Examples& validation,
              ThreadPool& pool, const Clock& clock, std::stop_token stop,
              ProgressObserver* observer, TrainingOutcome& outcome) {
  Objective<float> objective(config.topology, config.cost, config.lambda, training, pool);
  std::unique_ptr<Objective<float>> validation_objective;
  if (validation.rows() > 0 && observer != nullptr) {
    validation_objective = std::make_unique<Objective<float>>(config.topology, config.cost,
                                                              /*lambda=*/0.0, validation, pool);
  }
  ProgressReporter reporter(validation_objective.get(), observer, clock);
  const Vector<double> start =
      InitialParameters(config.topology, config.initialization, config.seed);
  OptimizerResult result =
      MakeOptimizer(config.optimizer, clock)
          ->Minimize(objective, start, config.stopping, std::move(stop), &reporter);
  outcome.seconds = reporter.seconds();
  outcome.reason = result.reason;
  outcome.message = std::move(result.message);
  outcome.iterations = result.iterations;
  outcome.initial_cost = result.initial_cost;
  // The objective computes J from Theta rounded to float: it is J of just these weights.
  outcome.final_cost = result.best_cost;
  outcome.network = {.topology = config.topology, .parameters = result.best_theta.cast<float>()};
}

}  // namespace

absl::Status ValidateForDataset(const TrainingConfig& config, const DatasetSchema& schema) {
  MLP_RETURN_IF_ERROR(ValidateTrainingConfig(config));
  if (config.topology.inputs != schema.features) {
    return absl::FailedPreconditionError(absl::StrCat("network.layers: expected ", schema.features,
                                                      " inputs, as dataset has features, got ",
                                                      config.topology.inputs));
  }
  if (config.topology.outputs() != schema.classes()) {
    return absl::FailedPreconditionError(absl::StrCat("network.layers: expected ", schema.classes(),
                                                      " outputs, as dataset has classes, got ",
                                                      config.topology.outputs()));
  }
  return absl::OkStatus();
}

absl::StatusOr<TrainingOutcome> Train(const Dataset& dataset, const TrainingConfig& config,
                                      ThreadPool& pool, const Clock& clock, std::stop_token stop,
                                      ProgressObserver* observer) {
  MLP_RETURN_IF_ERROR(ValidateForDataset(config, dataset.schema));
  MLP_ASSIGN_OR_RETURN(const Split split,
                       SplitRows(dataset.labels, dataset.schema.classes(), config.split));
  return TrainOnSplit(dataset, split, config, pool, clock, std::move(stop), observer);
}

absl::StatusOr<TrainingOutcome> TrainOnSplit(const Dataset& dataset, const Split& split,
                                             const TrainingConfig& config, ThreadPool& pool,
                                             const Clock& clock, std::stop_token stop,
                                             ProgressObserver* observer) {
  MLP_RETURN_IF_ERROR(ValidateForDataset(config, dataset.schema));
  TrainingOutcome outcome;
  // Fitted on the training rows alone: the other parts must stay unseen.
  outcome.scaler = FeatureScaler::Fit(config.scaling, dataset, split.training);
  {
    const Examples training = GatherExamples(dataset, split.training, outcome.scaler);
    const Examples validation = GatherExamples(dataset, split.validation, outcome.scaler);
    if (config.check_gradient) {
      const absl::StatusOr<double> error = CheckGradientAtStart(config, training, pool, stop);
      if (error.ok()) {
        outcome.gradient_check_error = *error;
      } else if (!absl::IsCancelled(error.status())) {
        return error.status();
      }
      // Cancelled: the optimizer sees the same request and makes an outcome of it.
    }
    Optimize(config, training, validation, pool, clock, stop, observer, outcome);
  }
  if (outcome.reason == StopReason::kCancelled || outcome.reason == StopReason::kDiverged) {
    return outcome;
  }
  const auto evaluate = [&](const std::vector<int64_t>& rows) -> std::optional<Evaluation> {
    if (rows.empty()) return std::nullopt;
    return TryEvaluateRows(outcome.network, config.cost, outcome.scaler, dataset, rows, pool,
                           [&stop] { return stop.stop_requested(); });
  };
  outcome.training = evaluate(split.training);
  outcome.validation = evaluate(split.validation);
  outcome.test = evaluate(split.test);
  if (stop.stop_requested()) {
    outcome.reason = StopReason::kCancelled;
    outcome.message = "cancelled while the trained network was evaluated";
    outcome.training = outcome.validation = outcome.test = std::nullopt;
  }
  return outcome;
}

}  // namespace mlp

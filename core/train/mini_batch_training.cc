#include "core/train/mini_batch_training.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include <absl/strings/str_cat.h>

#include "core/optim/learning_rate.h"
#include "core/optim/stopping_rules.h"
#include "core/train/batch_feed.h"
#include "core/train/checkpoint.h"
#include "core/train/mini_batch_step.h"
#include "core/train/non_finite_layer.h"
#include "core/train/part_cost.h"
#include "core/train/progress_reporter.h"

namespace mlp {
namespace {

// Batches have at most the rows of the training part, and the step's memory with them.
TrainingConfig WithBatchSizeWithin(TrainingConfig config, int64_t rows) {
  config.optimizer.batch_size =
      static_cast<int>(std::min(int64_t{config.optimizer.batch_size}, rows));
  return config;
}

// All that it remembers from step to step is in progress_, which is what a checkpoint saves.
class MiniBatchTraining {
 public:
  MiniBatchTraining(const TrainingConfig& config, const TrainingData& data,
                    const TrainingContext& context)
      : config_(WithBatchSizeWithin(config, Rows(data.split.training))),
        rows_(Rows(data.split.training)),
        data_(data),
        context_(context),
        feed_(config_, data, context.pool),
        step_(config_, rows_, context.pool),
        length_{.steps_per_epoch = feed_.batches_per_epoch(),
                .max_epochs = config.stopping.max_iterations},
        convergence_(config.stopping.cost_tolerance, config.stopping.cost_window, "epochs"),
        early_stopping_(config.stopping.patience, config.stopping.min_improvement, "epochs"),
        reporter_(config.stopping, context.clock, context.observer,
                  context.resume == nullptr ? 0 : context.resume->iterations,
                  context.resume == nullptr ? 0.0 : context.resume->seconds) {
    if (!data.split.validation.empty()) {
      validation_ = std::make_unique<PartCost>(config_, data, data.split.validation, context.pool);
    }
  }

  TrainedWeights Run(VectorF start) {
    if (context_.resume != nullptr) {
      Resume(*context_.resume);
    } else {
      Start(std::move(start));
    }
    while (!verdict_.has_value()) RunEpoch();
    if (verdict_->reason == StopReason::kCancelled) {
      // Not before the start was evaluated: there is nothing to go on from then.
      if (context_.checkpoints != nullptr && progress_.kept.theta.size() > 0) SaveCheckpoint();
    } else {
      TakeMeanWhereBetter();
    }
    return Finish();
  }

 private:
  static int64_t Rows(absl::Span<const int64_t> part) { return static_cast<int64_t>(part.size()); }

  // Reports the network as initialized.
  void Start(VectorF theta) {
    progress_.state = step_.Start(std::move(theta));
    progress_.kept.cost = std::nan("");
    progress_.initial_cost = TrainingCost(Theta());
    if (StopRequested()) return;
    if (!std::isfinite(progress_.initial_cost)) {
      Keep(progress_.initial_cost);
      feed_.Seek(0, 0);
      return Diverge(absl::StrCat("epoch 0: J is ", progress_.initial_cost), feed_.Next());
    }
    CloseIteration({.iteration = 0, .cost = progress_.initial_cost});
  }

  void Resume(const Checkpoint& checkpoint) {
    progress_ = checkpoint;
    convergence_.Restore(progress_.recent_costs);
    early_stopping_.Restore(progress_.early_stopping);
    context_.Log(absl::StrCat("resumed from the checkpoint of epoch ", progress_.iterations,
                              ", step ", progress_.epoch.steps, " of the next one"));
  }

  // The rest of the epoch in progress, and what its end brings.
  void RunEpoch() {
    feed_.Seek(progress_.iterations, progress_.epoch.steps);
    while (progress_.epoch.steps < length_.steps_per_epoch) {
      if (context_.checkpoints != nullptr && context_.checkpoints->Due()) SaveCheckpoint();
      if (StopRequested()) break;
      const MiniBatch batch = feed_.Next();
      const double rate = LearningRateAt(config_.optimizer, length_, progress_.state.steps);
      const MiniBatchStepResult result = step_.Run(batch, rate, progress_.state);
      EpochSums& epoch = progress_.epoch;
      const auto batch_rows = static_cast<int64_t>(batch.labels.size());
      ++epoch.steps;
      epoch.rows += batch_rows;
      epoch.cost += result.cost_sum;
      epoch.squared_gradient_norm += result.gradient_norm * result.gradient_norm;
      examples_ += static_cast<double>(batch_rows);
      const std::string fault = Fault(result, static_cast<double>(batch_rows));
      if (!fault.empty()) return Diverge(fault, batch);
    }
    const bool cancelled = verdict_.has_value() && verdict_->reason == StopReason::kCancelled;
    if (!cancelled && progress_.epoch.steps > 0) CloseEpoch();
  }

  void CloseEpoch() {
    const VectorF& theta = Theta();
    const EpochSums& epoch = progress_.epoch;
    if (!theta.allFinite()) return Diverge(StepName() + "the weights are not finite", {});
    const ProgressPoint point = {
        .iteration = progress_.iterations + 1,
        .cost = epoch.cost / static_cast<double>(epoch.rows) + Penalty(config_, rows_, theta),
        .gradient_norm = std::sqrt(epoch.squared_gradient_norm / static_cast<double>(epoch.steps)),
        .step = LearningRateAt(config_.optimizer, length_, progress_.state.steps - 1),
        .cost_evaluations = progress_.state.steps};
    CloseIteration(point);
  }

  // Takes in the end of an epoch, or the start.
  void CloseIteration(ProgressPoint point) {
    if (validation_ != nullptr) {
      point.validation_cost = validation_->Evaluate(Theta().data(), interrupted_);
      if (StopRequested() && verdict_->reason == StopReason::kCancelled) return;
    }
    if (point.iteration > 0) RememberForMean();
    progress_.iterations = point.iteration;
    progress_.epoch = {};
    Keep(point.cost, point.validation_cost);
    reporter_.Report(point, examples_);
    std::string early;
    if (point.validation_cost.has_value()) early = early_stopping_.Add(*point.validation_cost);
    // The start's J is no mean over an epoch: no part of the window.
    std::string converged = point.iteration > 0 ? convergence_.Add(point.cost) : "";
    if (verdict_.has_value()) return;
    if (!converged.empty() && config_.stopping.cost_tolerance > 0.0) {
      verdict_ = {StopReason::kConverged, std::move(converged)};
    } else if (!early.empty()) {
      verdict_ = {StopReason::kEarlyStopped, std::move(early)};
    } else if (point.iteration >= config_.stopping.max_iterations) {
      verdict_ = {StopReason::kMaxIterations,
                  absl::StrCat("reached the limit of ", point.iteration, " epochs")};
    }
  }

  // The weights of now, unless earlier ones have a lower validation cost.
  void Keep(double cost, std::optional<double> validation_cost = std::nullopt) {
    KeptWeights& kept = progress_.kept;
    if (kept.validation_cost.has_value() && !context_.keep_last &&
        !IsBetter(validation_cost.value(), *kept.validation_cost)) {
      return;
    }
    kept = {.theta = Theta(),
            .iteration = progress_.iterations,
            .cost = cost,
            .validation_cost = validation_cost};
  }

  void RememberForMean() {
    const auto epochs = static_cast<size_t>(config_.optimizer.average_last_epochs);
    if (epochs < 2) return;
    std::vector<VectorF>& last = progress_.last_epochs;
    last.push_back(Theta());
    if (last.size() > epochs) last.erase(last.begin());
  }

  // Of all epochs, where there were fewer.
  void TakeMeanWhereBetter() {
    const size_t epochs = progress_.last_epochs.size();
    if (epochs < 2) return;
    KeptWeights mean = {.theta = MeanOf(progress_.last_epochs),
                        .iteration = progress_.iterations,
                        .cost = progress_.kept.cost,
                        .validation_cost = std::nullopt};
    if (validation_ != nullptr) {
      mean.validation_cost = validation_->Evaluate(mean.theta.data(), interrupted_);
      const bool better =
          context_.keep_last || IsBetter(*mean.validation_cost, *progress_.kept.validation_cost);
      context_.Log(absl::StrCat("the mean of the last ", epochs, " epochs has validation cost ",
                                *mean.validation_cost, ", epoch ", progress_.kept.iteration,
                                " has ", *progress_.kept.validation_cost, ": took ",
                                better ? "the mean" : "the epoch"));
      if (!better) return;
    }
    progress_.kept = std::move(mean);
  }

  // The last step's, empty where it is well.
  std::string Fault(const MiniBatchStepResult& result, double batch_rows) const {
    const double cost = result.cost_sum / batch_rows;
    if (!std::isfinite(cost)) return absl::StrCat(StepName(), "J is ", cost);
    if (!std::isfinite(result.gradient_norm)) {
      return absl::StrCat(StepName(), "the gradient is ", result.gradient_norm);
    }
    const std::string runaway = HowItRanAway(progress_.initial_cost, cost);
    return runaway.empty() ? "" : StepName() + runaway;
  }

  std::string StepName() const {
    return absl::StrCat("epoch ", progress_.iterations + 1, ", step ", progress_.epoch.steps, ": ");
  }

  // `batch` is that of the last step, or empty.
  void Diverge(std::string message, const MiniBatch& batch) {
    const std::string layer =
        NonFiniteLayer(config_.topology, Theta(),
                       {batch.inputs, static_cast<Eigen::Index>(batch.labels.size()),
                        static_cast<Eigen::Index>(config_.topology.inputs)});
    if (!layer.empty()) absl::StrAppend(&message, "; ", layer);
    verdict_ = {StopReason::kDiverged, std::move(message)};
  }

  // Cancelled or out of time; takes it as the verdict.
  bool StopRequested() {
    if (verdict_.has_value()) return true;
    if (context_.stop.stop_requested()) {
      verdict_ = {StopReason::kCancelled, "cancelled"};
    } else if (reporter_.seconds() >= absl::ToDoubleSeconds(config_.stopping.time_limit)) {
      verdict_ = {StopReason::kTimeLimit,
                  absl::StrCat("reached the time limit of ",
                               absl::FormatDuration(config_.stopping.time_limit))};
    }
    return verdict_.has_value();
  }

  void SaveCheckpoint() {
    step_.Settle(progress_.state);
    progress_.seconds = reporter_.seconds();
    progress_.cost_evaluations = progress_.state.steps;
    progress_.recent_costs = convergence_.recent();
    progress_.early_stopping = early_stopping_.memory();
    context_.checkpoints->Save(WriteCheckpoint(progress_, context_.fingerprint));
  }

  // The weights of now.
  const VectorF& Theta() {
    step_.Settle(progress_.state);
    return progress_.state.theta;
  }

  // J of `theta` on the training part; NaN where it is cancelled.
  double TrainingCost(const VectorF& theta) {
    PartCost part(config_, data_, data_.split.training, context_.pool);
    return part.Evaluate(theta.data(), interrupted_) + Penalty(config_, rows_, theta);
  }

  TrainedWeights Finish() {
    TrainedWeights trained = {.reason = verdict_->reason,
                              .message = std::move(verdict_->message),
                              .theta = std::move(progress_.kept.theta),
                              .iterations = progress_.iterations,
                              .best_iteration = progress_.kept.iteration,
                              .initial_cost = progress_.initial_cost,
                              .final_cost = progress_.kept.cost,
                              .seconds = reporter_.seconds()};
    if (trained.theta.size() == 0) trained.theta = Theta();
    const bool published =
        trained.reason != StopReason::kCancelled && trained.reason != StopReason::kDiverged;
    if (published) trained.final_cost = TrainingCost(trained.theta);
    if (published && trained.best_iteration == 0 && trained.iterations > 0) {
      trained.message += "; no epoch had a lower validation cost than the start, which was kept";
    }
    return trained;
  }

  const TrainingConfig config_;
  const int64_t rows_;  // of the training part
  const TrainingData& data_;
  const TrainingContext& context_;
  const std::function<bool()> interrupted_ = [this] { return context_.stop.stop_requested(); };
  BatchFeed feed_;
  MiniBatchStep step_;
  std::unique_ptr<PartCost> validation_;  // null: there is no such part
  const TrainingLength length_;
  CostConvergence convergence_;
  EarlyStopping early_stopping_;
  ProgressReporter reporter_;

  Checkpoint progress_;
  double examples_ = 0.0;  // that steps were made on in this process
  std::optional<StopVerdict> verdict_;
};

}  // namespace

TrainedWeights TrainOnMiniBatches(const TrainingConfig& config, const TrainingData& data,
                                  VectorF start, const TrainingContext& context) {
  return MiniBatchTraining(config, data, context).Run(std::move(start));
}

}  // namespace mlp

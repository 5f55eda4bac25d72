#include "core/train/study.h"

#include <limits>
#include <utility>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "core/train/study_checkpoint.h"
#include "core/train/study_plan.h"

namespace mlp {
namespace {

std::optional<StudyScore> ScoreOf(const std::optional<Evaluation>& evaluation) {
  if (!evaluation) return std::nullopt;
  return StudyScore{.cost = evaluation->cross_entropy, .accuracy = evaluation->accuracy};
}

StudyRun MakeRow(int number, const PlannedRun& planned, const Split& rows,
                 const TrainingOutcome& outcome) {
  return {.number = number,
          .settings = planned.settings,
          .reason = outcome.reason,
          .message = outcome.message,
          .iterations = outcome.iterations,
          .best_iteration = outcome.best_iteration,
          .seconds = outcome.seconds,
          .training_examples = static_cast<int64_t>(rows.training.size()),
          .validation_examples = static_cast<int64_t>(rows.validation.size()),
          .training = ScoreOf(outcome.training),
          .validation = ScoreOf(outcome.validation)};
}

double CostOf(const std::optional<StudyScore>& score) {
  return score ? score->cost : std::numeric_limits<double>::quiet_NaN();
}

class StudyRunner {
 public:
  // Keeps references to all.
  StudyRunner(const Dataset& dataset, const StudyOptions& study, const StudyPlan& plan,
              const TrainingContext& context, const StudyOutcome* resume)
      : dataset_(dataset),
        searches_(std::holds_alternative<Search>(study)),
        chooses_(searches_ || std::holds_alternative<LambdaCurve>(study)),
        plan_(plan),
        context_(context),
        began_(context.clock.Elapsed()) {
    if (resume != nullptr) Restore(*resume);
  }

  absl::StatusOr<StudyOutcome> Run() && {
    for (size_t i = outcome_.runs.size(); i < plan_.runs.size() && !outcome_.cancelled; ++i) {
      MLP_RETURN_IF_ERROR(RunOne(i));
      const bool due = context_.checkpoints != nullptr && context_.checkpoints->Due();
      if (due && !outcome_.cancelled) SaveCheckpoint();
    }
    if (!outcome_.cancelled) EvaluateBest();
    if (outcome_.cancelled) {
      if (context_.checkpoints != nullptr && !outcome_.runs.empty()) SaveCheckpoint();
      outcome_.best = std::nullopt;
      outcome_.best_config = std::nullopt;
    }
    outcome_.seconds = seconds();
    return std::move(outcome_);
  }

 private:
  void Restore(const StudyOutcome& earlier) {
    outcome_ = earlier;
    seconds_before_ = earlier.seconds;
    if (outcome_.best_run > 0) {
      const size_t best = static_cast<size_t>(outcome_.best_run) - 1;
      best_cost_ = outcome_.runs[best].validation->cost;
      if (outcome_.best) {
        outcome_.best_config = plan_.runs[best].config;
        outcome_.best->network.topology = outcome_.best_config->topology;
      }
    }
    context_.Log(
        absl::StrCat("resumed after run ", outcome_.runs.size(), " of ", plan_.runs.size()));
  }

  void SaveCheckpoint() {
    outcome_.seconds = seconds();
    context_.checkpoints->Save(WriteStudyCheckpoint(outcome_, context_.fingerprint));
  }

  absl::Status RunOne(size_t index) {
    const PlannedRun& planned = plan_.runs[index];
    const int number = static_cast<int>(index) + 1;
    const Split rows = RowsOfRun(plan_, index);
    absl::StatusOr<TrainingOutcome> trained =
        TrainOnSplit(dataset_, rows, planned.config, ContextOfRun(number, planned.config));
    if (!trained.ok()) {
      return absl::Status(trained.status().code(),
                          absl::StrCat("run ", number, ": ", trained.status().message()));
    }
    if (trained->reason == StopReason::kCancelled) {
      outcome_.cancelled = true;
      return absl::OkStatus();
    }
    outcome_.runs.push_back(MakeRow(number, planned, rows, *trained));
    if (IsBest(outcome_.runs.back())) {
      outcome_.best_run = number;
      best_cost_ = outcome_.runs.back().validation->cost;
      if (searches_) {
        outcome_.best_config = planned.config;
        outcome_.best = *std::move(trained);
      }
    }
    Report(outcome_.runs.back());
    return absl::OkStatus();
  }

  // A run reports what the study makes of it, and not its own steps. Where the validation part is
  // to tell how well the training generalizes, it must not have chosen the weights: training cost
  // would rise with less data or less lambda where it has to fall. Early stopping is part of the
  // training.
  TrainingContext ContextOfRun(int number, const TrainingConfig& config) const {
    TrainingContext context = {.pool = context_.pool, .clock = context_.clock};
    context.stop = context_.stop;
    context.log = [this, number](absl::string_view line) {
      context_.Log(absl::StrCat("run ", number, ": ", line));
    };
    context.start = context_.start;
    context.keep_last = !searches_ && config.stopping.patience == 0;
    return context;
  }

  bool IsBest(const StudyRun& run) const {
    return chooses_ && run.validation && run.validation->cost < best_cost_;
  }

  void Report(const StudyRun& run) {
    if (context_.observer == nullptr) return;
    ProgressPoint point;
    point.iteration = run.number;
    point.cost = CostOf(run.training);
    point.validation_cost = CostOf(run.validation);
    point.elapsed_seconds = seconds();
    const auto runs_left = static_cast<double>(plan_.runs.size()) - run.number;
    point.seconds_left = point.elapsed_seconds / run.number * runs_left;
    context_.observer->OnProgress(point);
  }

  // On the parts that its run has not evaluated: the test part; of a run that was made before the
  // study went on from a checkpoint, all of them.
  void EvaluateBest() {
    if (!outcome_.best) return;
    Evaluate(plan_.split.training, outcome_.best->training);
    Evaluate(plan_.split.validation, outcome_.best->validation);
    Evaluate(plan_.split.test, outcome_.best->test);
  }

  void Evaluate(const std::vector<int64_t>& rows, std::optional<Evaluation>& evaluation) {
    if (evaluation || rows.empty() || outcome_.cancelled) return;
    const TrainingOutcome& best = *outcome_.best;
    evaluation =
        TryEvaluateRows(best.network, outcome_.best_config->cost, best.scaler, dataset_, rows,
                        context_.pool, [this] { return context_.stop.stop_requested(); });
    outcome_.cancelled = !evaluation.has_value();
  }

  double seconds() const {
    return seconds_before_ + absl::ToDoubleSeconds(context_.clock.Elapsed() - began_);
  }

  const Dataset& dataset_;
  const bool searches_;  // wants the best network
  const bool chooses_;   // has a best run
  const StudyPlan& plan_;
  const TrainingContext& context_;
  const absl::Duration began_;
  double seconds_before_ = 0.0;  // that the study took before it went on from a checkpoint
  double best_cost_ = std::numeric_limits<double>::infinity();
  StudyOutcome outcome_;
};

}  // namespace

absl::StatusOr<StudyOutcome> RunStudy(const Dataset& dataset, const StudyOptions& study,
                                      const TrainingConfig& config, const TrainingContext& context,
                                      const StudyOutcome* resume) {
  MLP_ASSIGN_OR_RETURN(const StudyPlan plan,
                       MakeStudyPlan(study, config, dataset.schema, dataset.labels));
  return StudyRunner(dataset, study, plan, context, resume).Run();
}

}  // namespace mlp

#include "core/train/study_plan.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "core/data/class_rows.h"
#include "core/data/folds.h"
#include "core/data/row_order.h"
#include "core/train/search_plan.h"
#include "core/train/trainer.h"

namespace mlp {
namespace {

constexpr int kMinFolds = 2;
constexpr int kMaxFolds = 100;
constexpr size_t kMaxCurveRuns = 100;

// Where the data come from and what all runs have in common.
struct Basis {
  const TrainingConfig& config;
  const DatasetSchema& schema;
  absl::Span<const int32_t> labels;
};

absl::Status CheckValidationPart(absl::string_view study, const StudyPlan& plan) {
  if (!plan.split.validation.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "split.validation: expected a fraction above 0, as ", study, " needs a validation part"));
}

absl::Status CheckCurveSize(absl::string_view field, size_t values) {
  if (values >= 1 && values <= kMaxCurveRuns) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": expected 1 to ", kMaxCurveRuns, " values, got ", values));
}

absl::Status CheckFolds(int folds, const Basis& basis, const std::vector<int64_t>& training) {
  constexpr absl::string_view kField = "study.k_fold.folds";
  if (folds < kMinFolds || folds > kMaxFolds) {
    return absl::InvalidArgumentError(
        absl::StrCat(kField, ": expected ", kMinFolds, " to ", kMaxFolds, ", got ", folds));
  }
  const auto wanted = static_cast<size_t>(folds);
  if (training.size() < wanted) {
    return absl::FailedPreconditionError(
        absl::StrCat(kField, ": expected at most ", training.size(),
                     ", the examples of the training part, got ", folds));
  }
  if (!basis.config.split.stratified) return absl::OkStatus();
  const auto members = RowsByClass(training, basis.labels, basis.schema.classes());
  for (size_t k = 0; k < members.size(); ++k) {
    if (members[k].empty() || members[k].size() >= wanted) continue;
    return absl::FailedPreconditionError(
        absl::StrCat(kField, ": expected at most ", members[k].size(), ", the examples of class \"",
                     basis.schema.class_names[k], "\" in the training part, got ", folds,
                     "; split.plain lets folds be without a class"));
  }
  return absl::OkStatus();
}

absl::Status AddRuns(const KFold& study, const Basis& basis, StudyPlan& plan) {
  MLP_RETURN_IF_ERROR(CheckFolds(study.folds, basis, plan.split.training));
  plan.folds = CutIntoFolds(plan.split.training, basis.labels, basis.schema.classes(),
                            {.folds = study.folds,
                             .stratified = basis.config.split.stratified,
                             .seed = basis.config.seed});
  for (int fold = 1; fold <= study.folds; ++fold) {
    plan.runs.push_back({{{"fold", static_cast<double>(fold)}}, basis.config});
  }
  return absl::OkStatus();
}

absl::Status AddRuns(const LambdaCurve& study, const Basis& basis, StudyPlan& plan) {
  constexpr absl::string_view kField = "study.lambda_curve.lambdas";
  MLP_RETURN_IF_ERROR(CheckCurveSize(kField, study.lambdas.size()));
  for (size_t i = 0; i < study.lambdas.size(); ++i) {
    const double lambda = study.lambdas[i];
    if (!std::isfinite(lambda) || lambda < 0.0) {
      return absl::InvalidArgumentError(
          absl::StrCat(kField, "[", i, "]: expected a finite number of at least 0, got ", lambda));
    }
    PlannedRun& run = plan.runs.emplace_back(PlannedRun{{{"lambda", lambda}}, basis.config});
    run.config.lambda = lambda;
  }
  return CheckValidationPart("study.lambda_curve", plan);
}

absl::Status AddRuns(const LearningCurve& study, const Basis& basis, StudyPlan& plan) {
  constexpr absl::string_view kField = "study.learning_curve.fractions";
  MLP_RETURN_IF_ERROR(CheckCurveSize(kField, study.fractions.size()));
  plan.order = OrderRows(plan.split.training, basis.labels, basis.schema.classes(),
                         {.stratified = basis.config.split.stratified, .seed = basis.config.seed});
  const auto rows = static_cast<double>(plan.order.size());
  for (size_t i = 0; i < study.fractions.size(); ++i) {
    const double fraction = study.fractions[i];
    // Written so that NaN fails.
    if (!(fraction > 0.0 && fraction <= 1.0)) {
      return absl::InvalidArgumentError(
          absl::StrCat(kField, "[", i, "]: expected above 0, at most 1, got ", fraction));
    }
    plan.runs.push_back({{{"training_fraction", fraction}}, basis.config});
    plan.training_rows.push_back(std::max<int64_t>(1, std::llround(fraction * rows)));
  }
  return CheckValidationPart("study.learning_curve", plan);
}

absl::Status AddRuns(const Search& study, const Basis& basis, StudyPlan& plan) {
  MLP_ASSIGN_OR_RETURN(plan.runs, PlanSearch(study, basis.config));
  return CheckValidationPart("study.search", plan);
}

std::vector<int64_t> Without(const std::vector<int64_t>& rows, const std::vector<int64_t>& left) {
  std::vector<int64_t> rest;
  std::set_difference(rows.begin(), rows.end(), left.begin(), left.end(), std::back_inserter(rest));
  return rest;
}

}  // namespace

absl::StatusOr<StudyPlan> MakeStudyPlan(const StudyOptions& study, const TrainingConfig& config,
                                        const DatasetSchema& schema,
                                        absl::Span<const int32_t> labels) {
  MLP_RETURN_IF_ERROR(ValidateForDataset(config, schema));
  StudyPlan plan;
  MLP_ASSIGN_OR_RETURN(plan.split, SplitRows(labels, schema.classes(), config.split));
  const Basis basis = {config, schema, labels};
  MLP_RETURN_IF_ERROR(
      std::visit([&](const auto& kind) { return AddRuns(kind, basis, plan); }, study));
  return plan;
}

Split RowsOfRun(const StudyPlan& plan, size_t run) {
  if (!plan.folds.empty()) {
    return {Without(plan.split.training, plan.folds[run]), plan.folds[run], {}};
  }
  if (!plan.order.empty()) {
    std::vector<int64_t> training(plan.order.begin(), plan.order.begin() + plan.training_rows[run]);
    std::sort(training.begin(), training.end());
    return {std::move(training), plan.split.validation, {}};
  }
  return {plan.split.training, plan.split.validation, {}};
}

}  // namespace mlp

#include "server/conversion/study_conversion.h"

#include <iterator>

#include "core/base/status_macros.h"
#include "core/train/search_plan.h"
#include "server/conversion/evaluation_conversion.h"

namespace mlp {
namespace {

constexpr int kDefaultFolds = 5;
constexpr double kDefaultLambdas[] = {0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0};
constexpr int kDefaultFractions = 10;  // 0.1, 0.2, ..., 1
constexpr int kDefaultRandomRuns = 20;

// A search for units would have every run but one refused.
absl::Status CheckUnitsMayVary(const v1::TrainingConfig& config) {
  if (config.initial_model().empty()) return absl::OkStatus();
  for (const v1::SearchParameter& parameter : config.study().search().parameters()) {
    if (parameter.name() != "network.hidden_units") continue;
    return absl::InvalidArgumentError(
        "study.search.parameters: expected none named network.hidden_units, as initial_model "
        "brings the layers");
  }
  return absl::OkStatus();
}

KFold KFoldFromApi(const v1::KFold& message) {
  return {.folds = message.folds() == 0 ? kDefaultFolds : message.folds()};
}

LambdaCurve LambdaCurveFromApi(const v1::LambdaCurve& message) {
  if (message.lambdas().empty()) {
    return {.lambdas = {std::begin(kDefaultLambdas), std::end(kDefaultLambdas)}};
  }
  return {.lambdas = {message.lambdas().begin(), message.lambdas().end()}};
}

LearningCurve LearningCurveFromApi(const v1::LearningCurve& message) {
  LearningCurve curve = {.fractions = {message.fractions().begin(), message.fractions().end()}};
  if (!curve.fractions.empty()) return curve;
  for (int i = 1; i <= kDefaultFractions; ++i) {
    curve.fractions.push_back(static_cast<double>(i) / kDefaultFractions);
  }
  return curve;
}

Search SearchFromApi(const v1::Search& message) {
  Search search = {.parameters = {}, .max_runs = message.max_runs(), .random = message.random()};
  for (const v1::SearchParameter& parameter : message.parameters()) {
    search.parameters.push_back({.name = parameter.name(),
                                 .values = {parameter.values().begin(), parameter.values().end()},
                                 .min = parameter.min(),
                                 .max = parameter.max(),
                                 .logarithmic = parameter.logarithmic()});
  }
  if (search.max_runs == 0) search.max_runs = search.random ? kDefaultRandomRuns : GridSize(search);
  return search;
}

void SetKind(const KFold& study, v1::Study& message) {
  message.mutable_k_fold()->set_folds(study.folds);
}

void SetKind(const LambdaCurve& study, v1::Study& message) {
  message.mutable_lambda_curve()->mutable_lambdas()->Add(study.lambdas.begin(),
                                                         study.lambdas.end());
}

void SetKind(const LearningCurve& study, v1::Study& message) {
  message.mutable_learning_curve()->mutable_fractions()->Add(study.fractions.begin(),
                                                             study.fractions.end());
}

void SetKind(const Search& study, v1::Study& message) {
  v1::Search& search = *message.mutable_search();
  for (const SearchParameter& parameter : study.parameters) {
    v1::SearchParameter& added = *search.add_parameters();
    added.set_name(parameter.name);
    added.mutable_values()->Add(parameter.values.begin(), parameter.values.end());
    added.set_min(parameter.min);
    added.set_max(parameter.max);
    added.set_logarithmic(parameter.logarithmic);
  }
  search.set_max_runs(study.max_runs);
  search.set_random(study.random);
}

}  // namespace

absl::StatusOr<std::optional<StudyOptions>> StudyFromApi(const v1::TrainingConfig& config) {
  if (!config.has_study()) return std::nullopt;
  MLP_RETURN_IF_ERROR(CheckUnitsMayVary(config));
  const v1::Study& study = config.study();
  switch (study.kind_case()) {
    case v1::Study::kKFold:
      return KFoldFromApi(study.k_fold());
    case v1::Study::kLambdaCurve:
      return LambdaCurveFromApi(study.lambda_curve());
    case v1::Study::kLearningCurve:
      return LearningCurveFromApi(study.learning_curve());
    case v1::Study::kSearch:
      return SearchFromApi(study.search());
    case v1::Study::KIND_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError(
      "study: expected one of k_fold, lambda_curve, learning_curve and search, got none");
}

v1::Study StudyToApi(const StudyOptions& study) {
  v1::Study message;
  std::visit([&message](const auto& kind) { SetKind(kind, message); }, study);
  return message;
}

v1::StudyRun StudyRunToApi(const StudyRun& run) {
  v1::StudyRun message;
  message.set_number(run.number);
  for (const StudySetting& setting : run.settings) {
    v1::StudyRun::Setting& added = *message.add_settings();
    added.set_name(setting.name);
    added.set_value(setting.value);
  }
  message.set_stop_reason(StopReasonToApi(run.reason));
  message.set_message(run.message);
  message.set_iterations(run.iterations);
  message.set_best_iteration(run.best_iteration);
  message.set_seconds(run.seconds);
  message.set_training_examples(run.training_examples);
  message.set_validation_examples(run.validation_examples);
  if (run.training) {
    message.set_training_cost(run.training->cost);
    message.set_training_accuracy(run.training->accuracy);
  }
  if (run.validation) {
    message.set_validation_cost(run.validation->cost);
    message.set_validation_accuracy(run.validation->accuracy);
  }
  return message;
}

}  // namespace mlp

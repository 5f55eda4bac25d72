#include "server/jobs/study_result.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <absl/strings/str_join.h>

#include "server/conversion/study_conversion.h"

namespace mlp {
namespace {

std::string SettingsText(const StudyRun& run) {
  return absl::StrJoin(run.settings, ", ", [](std::string* out, const StudySetting& setting) {
    absl::StrAppend(out, setting.name, " ", setting.value);
  });
}

struct Spread {
  double mean = 0.0;
  double deviation = 0.0;  // of the sample, over n - 1; 0 of a single value
};

Spread SpreadOf(const std::vector<double>& values) {
  Spread spread;
  const auto count = static_cast<double>(values.size());
  for (const double value : values) spread.mean += value / count;
  if (values.size() < 2) return spread;
  double squares = 0.0;
  for (const double value : values) squares += (value - spread.mean) * (value - spread.mean);
  spread.deviation = std::sqrt(squares / (count - 1.0));
  return spread;
}

std::string FoldsText(const StudyOutcome& outcome) {
  std::vector<double> costs;
  std::vector<double> accuracies;
  for (const StudyRun& run : outcome.runs) {
    if (!run.validation) continue;
    costs.push_back(run.validation->cost);
    accuracies.push_back(100.0 * run.validation->accuracy);
  }
  const Spread cost = SpreadOf(costs);
  const Spread accuracy = SpreadOf(accuracies);
  return absl::StrFormat(
      "validation cost %.4g +- %.2g, accuracy %.2f %% +- %.2f %% (mean and standard deviation of "
      "%d folds)",
      cost.mean, cost.deviation, accuracy.mean, accuracy.deviation, costs.size());
}

std::string LargestText(const StudyOutcome& outcome) {
  const StudyRun* largest = nullptr;
  for (const StudyRun& run : outcome.runs) {
    const bool larger = largest == nullptr || run.training_examples > largest->training_examples;
    if (run.validation && larger) largest = &run;
  }
  return absl::StrFormat("with %d training examples: validation cost %.4g, training cost %.4g",
                         largest->training_examples, largest->validation->cost,
                         largest->training->cost);
}

std::string BestText(const StudyOutcome& outcome) {
  const StudyRun& best = outcome.runs[static_cast<size_t>(outcome.best_run) - 1];
  return absl::StrFormat("best %s: validation cost %.4g (run %d of %d)", SettingsText(best),
                         best.validation->cost, best.number, outcome.runs.size());
}

}  // namespace

void FillStudyResult(const StudyOutcome& outcome, v1::TrainingResult& result) {
  for (const StudyRun& run : outcome.runs) *result.add_runs() = StudyRunToApi(run);
  result.set_best_run(outcome.best_run);
  result.set_iterations(static_cast<int>(outcome.runs.size()));
  result.set_seconds(outcome.seconds);
}

std::string StudyMessage(const StudyOptions& study, const StudyOutcome& outcome) {
  const auto diverged =
      std::count_if(outcome.runs.begin(), outcome.runs.end(),
                    [](const StudyRun& run) { return !run.validation.has_value(); });
  if (diverged == static_cast<std::ptrdiff_t>(outcome.runs.size())) {
    return absl::StrCat("all ", diverged,
                        " runs diverged; the first: ", outcome.runs.front().message);
  }
  std::string text;
  if (std::holds_alternative<KFold>(study)) {
    text = FoldsText(outcome);
  } else if (std::holds_alternative<LearningCurve>(study)) {
    text = LargestText(outcome);
  } else {
    text = BestText(outcome);
  }
  if (diverged == 0) return text;
  return absl::StrCat(text, "; ", diverged, diverged == 1 ? " run" : " runs", " diverged");
}

}  // namespace mlp

#include "client/commands/study_reading.h"

#include <algorithm>

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include "client/terminal/numbers.h"

namespace mlp {
namespace {

// Null where no run has costs.
const v1::StudyRun* FindBest(const v1::TrainingResult& result) {
  const v1::StudyRun* best = nullptr;
  for (const v1::StudyRun& run : result.runs()) {
    if (!run.has_validation_cost()) continue;
    if (best == nullptr || run.validation_cost() < best->validation_cost()) best = &run;
  }
  return best;
}

const v1::StudyRun* FindLargest(const v1::TrainingResult& result) {
  const v1::StudyRun* largest = nullptr;
  for (const v1::StudyRun& run : result.runs()) {
    if (!run.has_validation_cost()) continue;
    if (largest == nullptr || run.training_examples() > largest->training_examples()) {
      largest = &run;
    }
  }
  return largest;
}

double Lambda(const v1::StudyRun& run) {
  return run.settings().empty() ? 0 : run.settings(0).value();
}

bool IsHigh(const v1::StudyRun& run) {
  return run.validation_cost() >= kHighVariance * run.training_cost();
}

// `validation cost is 2.3 x training cost: high variance (1.5 or more)`.
std::string Gap(const v1::StudyRun& run) {
  const std::string times =
      run.training_cost() > 0
          ? absl::StrFormat("%.3g x training cost", run.validation_cost() / run.training_cost())
          : std::string("above training cost, which is 0");
  return absl::StrFormat("validation cost is %s: %s variance (%s %g)", times,
                         IsHigh(run) ? "high" : "low", IsHigh(run) ? "at least" : "below",
                         kHighVariance);
}

std::string ReadLambdas(const v1::TrainingResult& result) {
  const v1::StudyRun* best = FindBest(result);
  if (best == nullptr) return "";
  double largest = Lambda(*best);
  for (const v1::StudyRun& run : result.runs()) largest = std::max(largest, Lambda(run));
  const char* advice = "More data or a smaller network may help.";
  if (Lambda(*best) == largest && result.runs_size() > 1) {
    advice = "No larger lambda was tried, and the largest was the best: try larger ones.";
  } else if (!IsHigh(*best)) {
    advice = "If that cost is too high, a larger network may help; more data would hardly.";
  }
  return absl::StrCat("At lambda ", FormatValue(Lambda(*best)), " ", Gap(*best), ".\n", advice,
                      "\n");
}

std::string ReadExamples(const v1::TrainingResult& result) {
  const v1::StudyRun* largest = FindLargest(result);
  if (largest == nullptr) return "";
  return absl::StrCat(
      "With ", FormatCount(largest->training_examples()), " examples ", Gap(*largest), ".\n",
      IsHigh(*largest) ? "More data or a larger lambda would probably help."
                       : "If that cost is too high, a larger network or a smaller lambda may help; "
                         "more data would hardly.",
      "\n");
}

}  // namespace

std::string ReadCurve(const v1::Study& study, const v1::TrainingResult& result) {
  if (study.has_lambda_curve()) return ReadLambdas(result);
  if (study.has_learning_curve()) return ReadExamples(result);
  return "";
}

}  // namespace mlp

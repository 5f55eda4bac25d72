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

// `validation cost is 2.3 times the training cost (1.5 or more: high variance)`.
std::string Gap(const v1::StudyRun& run, bool high) {
  const std::string comparison = run.training_cost() > 0
                                     ? absl::StrFormat("%.3g times the training cost",
                                                       run.validation_cost() / run.training_cost())
                                     : "far above the training cost, which is 0";
  return absl::StrFormat("validation cost is %s (%s %g: %s variance)", comparison,
                         high ? "at least" : "less than", kHighVariance, high ? "high" : "low");
}

std::string ReadLambdas(const v1::TrainingResult& result) {
  const v1::StudyRun* best = FindBest(result);
  if (best == nullptr) return "";
  double largest = Lambda(*best);
  for (const v1::StudyRun& run : result.runs()) largest = std::max(largest, Lambda(run));
  const bool high = best->validation_cost() >= kHighVariance * best->training_cost();
  const char* advice = "where it is still too high, a larger network may help, more data hardly";
  if (high) advice = "more data or a smaller network may help";
  if (Lambda(*best) == largest && result.runs_size() > 1) {
    advice = "no larger lambda was tried: try some";
  }
  return absl::StrCat("At the best lambda, ", FormatValue(Lambda(*best)), ", ", Gap(*best, high),
                      "; ", advice, ".");
}

std::string ReadExamples(const v1::TrainingResult& result) {
  const v1::StudyRun* largest = FindLargest(result);
  if (largest == nullptr) return "";
  const bool high = largest->validation_cost() >= kHighVariance * largest->training_cost();
  return absl::StrCat(
      "With ", FormatCount(largest->training_examples()), " examples, ", Gap(*largest, high), "; ",
      high
          ? "more data or a larger lambda would probably help"
          : "where it is too high, a larger network or a smaller lambda may help, more data hardly",
      ".");
}

}  // namespace

std::string ReadCurve(const v1::Study& study, const v1::TrainingResult& result) {
  if (study.has_lambda_curve()) return ReadLambdas(result);
  if (study.has_learning_curve()) return ReadExamples(result);
  return "";
}

}  // namespace mlp

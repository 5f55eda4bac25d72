#include "client/commands/study_text.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>

#include "client/commands/resource_text.h"
#include "client/commands/study_reading.h"
#include "client/terminal/curve_plot.h"
#include "client/terminal/numbers.h"
#include "client/terminal/table.h"

namespace mlp {
namespace {

// `optimizer.learning_rate` is `learning_rate` in a table.
std::string ShortName(absl::string_view name) {
  const std::vector<absl::string_view> pieces = absl::StrSplit(name, '.');
  return std::string(pieces.back());
}

std::string CostText(bool known, double cost) {
  return known ? absl::StrFormat("%.5g", cost) : "-";
}

std::string IterationsText(const v1::StudyRun& run) {
  const std::string all = FormatCount(run.iterations());
  if (!run.has_validation_cost() || run.best_iteration() == run.iterations()) return all;
  return absl::StrCat(all, ", best ", FormatCount(run.best_iteration()));
}

// Rows differ in them.
bool ExamplesDiffer(const v1::Study& study) {
  return study.has_k_fold() || study.has_learning_curve();
}

std::string Note(const v1::StudyRun& run, const v1::TrainingResult& result) {
  if (run.number() == result.best_run()) return "best";
  return run.has_validation_cost() ? "" : StopReasonName(run.stop_reason());
}

// As a row of the table, below it: `name`, and of each column what `statistic` makes of it.
template <typename Statistic>
std::vector<std::string> StatisticRow(const std::string& name, const v1::TrainingResult& result,
                                      Statistic statistic) {
  std::vector<double> training;
  std::vector<double> validation;
  std::vector<double> accuracy;
  for (const v1::StudyRun& run : result.runs()) {
    if (!run.has_validation_cost()) continue;
    training.push_back(run.training_cost());
    validation.push_back(run.validation_cost());
    accuracy.push_back(run.validation_accuracy());
  }
  return {name,
          "",
          "",
          CostText(true, statistic(training)),
          CostText(true, statistic(validation)),
          FormatPercent(statistic(accuracy)),
          ""};
}

double Mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// Of the sample: over n - 1.
double Deviation(const std::vector<double>& values) {
  const double mean = Mean(values);
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

std::string RunTable(const v1::Study& study, const v1::TrainingResult& result) {
  using Align = Table::Align;
  std::vector<Table::Column> columns;
  // A fold's number is its run's.
  if (!study.has_k_fold()) columns.push_back({"run", Align::kRight});
  for (const v1::StudyRun::Setting& setting : result.runs(0).settings()) {
    columns.push_back({ShortName(setting.name()), Align::kRight});
  }
  if (ExamplesDiffer(study)) columns.push_back({"examples", Align::kRight});
  columns.insert(columns.end(), {{"iterations", Align::kRight},
                                 {"training cost", Align::kRight},
                                 {"validation cost", Align::kRight},
                                 {"accuracy", Align::kRight},
                                 {"", Align::kLeft}});
  Table table(columns);
  for (const v1::StudyRun& run : result.runs()) {
    std::vector<std::string> cells;
    if (!study.has_k_fold()) cells.push_back(absl::StrCat(run.number()));
    for (const v1::StudyRun::Setting& setting : run.settings()) {
      cells.push_back(FormatValue(setting.value()));
    }
    if (ExamplesDiffer(study)) cells.push_back(FormatCount(run.training_examples()));
    cells.insert(cells.end(),
                 {IterationsText(run), CostText(run.has_training_cost(), run.training_cost()),
                  CostText(run.has_validation_cost(), run.validation_cost()),
                  run.has_validation_accuracy() ? FormatPercent(run.validation_accuracy()) : "-",
                  Note(run, result)});
    cells.resize(columns.size());
    table.AddRow(std::move(cells));
  }
  const auto scored =
      std::count_if(result.runs().begin(), result.runs().end(),
                    [](const v1::StudyRun& run) { return run.has_validation_cost(); });
  if (study.has_k_fold() && scored > 1) {
    table.AddRow(StatisticRow("mean", result, Mean));
    table.AddRow(StatisticRow("deviation", result, Deviation));
  }
  return table.Render();
}

// Training and validation cost over lambda, or over the training examples.
std::string CostPlot(const v1::Study& study, const v1::TrainingResult& result,
                     const TerminalStyle& style) {
  const bool over_lambda = study.has_lambda_curve();
  Curve training = {.name = "training", .mark = 't', .points = {}};
  Curve validation = {.name = "validation", .mark = 'v', .points = {}};
  for (const v1::StudyRun& run : result.runs()) {
    if (!run.has_validation_cost() || run.settings().empty()) continue;
    const double x =
        over_lambda ? run.settings(0).value() : static_cast<double>(run.training_examples());
    training.points.push_back({x, run.training_cost()});
    validation.points.push_back({x, run.validation_cost()});
  }
  const auto by_x = [](const CurvePoint& a, const CurvePoint& b) { return a.x < b.x; };
  std::stable_sort(training.points.begin(), training.points.end(), by_x);
  std::stable_sort(validation.points.begin(), validation.points.end(), by_x);
  return RenderCurves({training, validation},
                      {.columns = std::clamp(style.width - 16, 10, 60),
                       .title = "cost",
                       .x_name = over_lambda ? "lambda" : "training examples",
                       .logarithmic_x = over_lambda},
                      style);
}

// Runs that the study makes, at most; 0 where that is not known.
int64_t PlannedRuns(const v1::Study& study) {
  switch (study.kind_case()) {
    case v1::Study::kKFold:
      return study.k_fold().folds();
    case v1::Study::kLambdaCurve:
      return study.lambda_curve().lambdas_size();
    case v1::Study::kLearningCurve:
      return study.learning_curve().fractions_size();
    case v1::Study::kSearch:
      return study.search().max_runs();
    case v1::Study::KIND_NOT_SET:
      break;
  }
  return 0;
}

}  // namespace

std::string StudyName(const v1::Study& study) {
  switch (study.kind_case()) {
    case v1::Study::kKFold:
      return absl::StrCat(study.k_fold().folds(), "-fold cross-validation");
    case v1::Study::kLambdaCurve:
      return "lambda curve";
    case v1::Study::kLearningCurve:
      return "learning curve";
    case v1::Study::kSearch:
      return absl::StrCat(study.search().random() ? "random" : "grid", " search of ",
                          absl::StrJoin(study.search().parameters(), ", ",
                                        [](std::string* out, const v1::SearchParameter& parameter) {
                                          absl::StrAppend(out, ShortName(parameter.name()));
                                        }));
    case v1::Study::KIND_NOT_SET:
      break;
  }
  return "study";
}

std::string RunText(const v1::ProgressPoint& point) {
  return absl::StrCat("run ", point.iteration(), "  training cost ", FormatValue(point.cost()),
                      "  validation cost ", FormatValue(point.validation_cost()), "  ",
                      FormatSeconds(point.elapsed_seconds()));
}

Progress LiveRuns(const v1::ProgressPoint& point, const v1::Study& study) {
  Progress progress = {.name = "run",
                       .done = point.iteration(),
                       .total = PlannedRuns(study),
                       .detail = absl::StrFormat("validation cost %.4g", point.validation_cost()),
                       .elapsed_seconds = point.elapsed_seconds()};
  if (point.has_seconds_left()) progress.seconds_left = point.seconds_left();
  return progress;
}

std::string DescribeRuns(const v1::TrainingJob& job, const TerminalStyle& style) {
  const v1::Study& study = job.config().study();
  const v1::TrainingResult& result = job.result();
  if (result.runs().empty()) return "";
  std::string text = RunTable(study, result);
  if (!study.has_lambda_curve() && !study.has_learning_curve()) return text;
  const std::string plot = CostPlot(study, result, style);
  if (!plot.empty()) absl::StrAppend(&text, "\n", plot);
  const std::string reading = ReadCurve(study, result);
  if (!reading.empty()) absl::StrAppend(&text, "\n", reading);
  return text;
}

}  // namespace mlp

#include "client/commands/evaluation_curves.h"

#include <algorithm>

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include "client/terminal/table.h"

namespace mlp {
namespace {

constexpr int kShownClasses = 3;
constexpr int kMinColumns = 10;
constexpr int kMaxColumns = 34;
constexpr int kAxis = 3;  // columns left of a plot
constexpr int kGap = 4;   // between two plots

}  // namespace

std::vector<UnitPoint> PrecisionRecallCurve(const v1::ClassEvaluation& evaluation) {
  std::vector<UnitPoint> points;
  if (evaluation.curve_size() > 0) points.push_back({0.0, evaluation.curve(0).precision()});
  for (const v1::OperatingPoint& point : evaluation.curve()) {
    points.push_back({point.recall(), point.precision()});
  }
  return points;
}

std::vector<UnitPoint> RocCurve(const v1::ClassEvaluation& evaluation) {
  std::vector<UnitPoint> points = {{0.0, 0.0}};
  for (const v1::OperatingPoint& point : evaluation.curve()) {
    points.push_back({point.false_positive_rate(), point.recall()});
  }
  return points;
}

std::vector<int> HardestClasses(const v1::Evaluation& evaluation, int most) {
  std::vector<int> classes;
  for (int k = 0; k < evaluation.classes_size(); ++k) {
    const v1::ClassEvaluation& of_class = evaluation.classes(k);
    if (of_class.support() > 0 && of_class.curve_size() > 0) classes.push_back(k);
  }
  std::stable_sort(classes.begin(), classes.end(), [&](int a, int b) {
    return evaluation.classes(a).average_precision() < evaluation.classes(b).average_precision();
  });
  classes.resize(std::min(classes.size(), static_cast<size_t>(std::max(most, 0))));
  return classes;
}

std::string CurvesText(const v1::Evaluation& evaluation, const TerminalStyle& style) {
  const std::vector<int> classes = HardestClasses(evaluation, kShownClasses);
  if (classes.empty()) return "";
  std::string text = "curves";
  if (static_cast<int>(classes.size()) < evaluation.classes_size()) {
    absl::StrAppend(&text, " of the classes of lowest average precision");
  }
  absl::StrAppend(&text, "\n");
  const int columns = std::clamp((style.width - kGap) / 2 - kAxis, kMinColumns, kMaxColumns);
  for (const int k : classes) {
    const v1::ClassEvaluation& of_class = evaluation.classes(k);
    const std::string area =
        of_class.has_roc_auc() ? absl::StrFormat(", AUC %.4f", of_class.roc_auc()) : std::string();
    const auto lines = SideBySide(
        {RenderUnitPlot(PrecisionRecallCurve(of_class),
                        {.columns = columns,
                         .title = absl::StrFormat("%s: precision, AP %.4f", of_class.class_name(),
                                                  of_class.average_precision()),
                         .x_name = "recall"},
                        style),
         RenderUnitPlot(RocCurve(of_class),
                        {.columns = columns,
                         .title = absl::StrCat(of_class.class_name(), ": true positive rate", area),
                         .x_name = "false positive rate",
                         .diagonal = true},
                        style)},
        kGap);
    for (const std::string& line : lines) absl::StrAppend(&text, line, "\n");
  }
  return text;
}

}  // namespace mlp

#include "client/commands/evaluation_text.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <absl/strings/str_join.h>

#include "client/commands/evaluation_calibration.h"
#include "client/commands/evaluation_confusion.h"
#include "client/commands/evaluation_curves.h"
#include "client/terminal/numbers.h"
#include "client/terminal/table.h"

namespace mlp {
namespace {

using Align = Table::Align;

constexpr size_t kNameColumns = 15;

std::string Share(double value) { return absl::StrFormat("%.4f", value); }

void AddLine(std::string& text, absl::string_view name, absl::string_view value) {
  absl::StrAppend(&text, PadRight(name, kNameColumns), value, "\n");
}

std::string Summary(const v1::Evaluation& evaluation) {
  std::string text;
  AddLine(
      text, "accuracy",
      absl::StrCat(FormatPercent(evaluation.accuracy()), " of ", FormatCount(evaluation.examples()),
                   " examples (", PartName(evaluation.part()), ")"));
  if (!evaluation.top_k().empty()) {
    AddLine(
        text, "among the top",
        absl::StrJoin(evaluation.top_k(), ", ", [](std::string* out, const v1::TopKAccuracy& top) {
          absl::StrAppend(out, top.k(), ": ", FormatPercent(top.accuracy()));
        }));
  }
  AddLine(text, "cross-entropy", FormatValue(evaluation.cross_entropy()));
  if (evaluation.has_log_loss()) AddLine(text, "log-loss", FormatValue(evaluation.log_loss()));
  if (evaluation.has_macro_roc_auc()) {
    AddLine(text, "ROC AUC", absl::StrCat(Share(evaluation.macro_roc_auc()), " (macro)"));
  }
  if (evaluation.has_expected_calibration_error()) {
    AddLine(text, "calibration",
            absl::StrCat("off by ", FormatPercent(evaluation.expected_calibration_error()),
                         " on average (ECE)"));
  }
  return text;
}

std::string ClassTable(const v1::Evaluation& evaluation) {
  Table table({{"class"},
               {"precision", Align::kRight},
               {"recall", Align::kRight},
               {"F1", Align::kRight},
               {"AP", Align::kRight},
               {"AUC", Align::kRight},
               {"best F1", Align::kRight},
               {"from output", Align::kRight},
               {"support", Align::kRight}});
  double average_precision = 0;
  for (const v1::ClassEvaluation& c : evaluation.classes()) {
    average_precision += c.average_precision() / evaluation.classes_size();
    const bool has_best = c.has_best_f1_threshold();
    table.AddRow({c.class_name(), Share(c.scores().precision()), Share(c.scores().recall()),
                  Share(c.scores().f1()), Share(c.average_precision()),
                  c.has_roc_auc() ? Share(c.roc_auc()) : "-", has_best ? Share(c.best_f1()) : "-",
                  has_best ? absl::StrFormat("%.4g", c.best_f1_threshold()) : "-",
                  FormatCount(c.support())});
  }
  const std::string total = FormatCount(evaluation.examples());
  table.AddRow({"macro", Share(evaluation.macro().precision()), Share(evaluation.macro().recall()),
                Share(evaluation.macro().f1()), Share(average_precision),
                evaluation.has_macro_roc_auc() ? Share(evaluation.macro_roc_auc()) : "", "", "",
                total});
  table.AddRow({"micro", Share(evaluation.micro().precision()), Share(evaluation.micro().recall()),
                Share(evaluation.micro().f1()), "", "", "", "", total});
  return table.Render();
}

std::string ClassName(const v1::Evaluation& evaluation, int k) {
  if (k < 0 || k >= evaluation.classes_size()) return absl::StrCat(k);
  return evaluation.classes(k).class_name();
}

std::string WorstText(const v1::Evaluation& evaluation) {
  if (evaluation.worst_examples().empty()) return "";
  Table table({{"row", Align::kRight},
               {"label"},
               {"output", Align::kRight},
               {"predicted"},
               {"output", Align::kRight}});
  for (const v1::WorstExample& worst : evaluation.worst_examples()) {
    const double label_probability = worst.label_probability();
    const double predicted_probability = worst.predicted_probability();
    table.AddRow({absl::StrCat(worst.row()), ClassName(evaluation, worst.label()),
                  absl::StrFormat("%.2g", label_probability),
                  ClassName(evaluation, worst.prediction()),
                  absl::StrFormat("%.4f", predicted_probability)});
  }
  return absl::StrCat("worst examples: the lowest outputs for their own label\n", table.Render());
}

}  // namespace

std::string PartName(v1::DatasetPart part) {
  switch (part) {
    case v1::DATASET_PART_TRAINING:
      return "training";
    case v1::DATASET_PART_VALIDATION:
      return "validation";
    case v1::DATASET_PART_TEST:
      return "test";
    default:
      return "all";
  }
}

std::string AccuracyByPart(const google::protobuf::RepeatedPtrField<v1::Evaluation>& evaluations) {
  return absl::StrJoin(evaluations, ", ", [](std::string* out, const v1::Evaluation& evaluation) {
    absl::StrAppend(out, PartName(evaluation.part()), " ", FormatPercent(evaluation.accuracy()));
  });
}

std::string DescribeEvaluation(const v1::Evaluation& evaluation, const TerminalStyle& style) {
  std::string text = Summary(evaluation);
  for (const std::string& section :
       {ClassTable(evaluation), ConfusionText(evaluation, style), CurvesText(evaluation, style),
        CalibrationText(evaluation, style), WorstText(evaluation)}) {
    if (!section.empty()) absl::StrAppend(&text, "\n", section);
  }
  return text;
}

}  // namespace mlp

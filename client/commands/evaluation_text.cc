#include "client/commands/evaluation_text.h"

#include <vector>

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <absl/strings/str_join.h>

#include "client/terminal/numbers.h"
#include "client/terminal/table.h"

namespace mlp {
namespace {

constexpr int kMaxConfusionClasses = 30;

std::string Share(double value) { return absl::StrFormat("%.4f", value); }

std::string ClassTable(const v1::Evaluation& evaluation) {
  using Align = Table::Align;
  Table table({{"class"},
               {"precision", Align::kRight},
               {"recall", Align::kRight},
               {"F1", Align::kRight},
               {"AP", Align::kRight},
               {"support", Align::kRight}});
  double average_precision = 0;
  for (const v1::ClassEvaluation& c : evaluation.classes()) {
    average_precision += c.average_precision() / evaluation.classes_size();
    table.AddRow({c.class_name(), Share(c.scores().precision()), Share(c.scores().recall()),
                  Share(c.scores().f1()), Share(c.average_precision()), FormatCount(c.support())});
  }
  const std::string total = FormatCount(evaluation.examples());
  table.AddRow({"macro", Share(evaluation.macro().precision()), Share(evaluation.macro().recall()),
                Share(evaluation.macro().f1()), Share(average_precision), total});
  table.AddRow({"micro", Share(evaluation.micro().precision()), Share(evaluation.micro().recall()),
                Share(evaluation.micro().f1()), "", total});
  return table.Render();
}

std::string ConfusionTable(const v1::Evaluation& evaluation) {
  const int classes = evaluation.classes_size();
  std::vector<Table::Column> columns = {{"label"}};
  for (const v1::ClassEvaluation& c : evaluation.classes()) {
    columns.push_back({c.class_name(), Table::Align::kRight});
  }
  Table table(columns);
  for (int label = 0; label < classes; ++label) {
    std::vector<std::string> cells = {evaluation.classes(label).class_name()};
    for (int predicted = 0; predicted < classes; ++predicted) {
      const int64_t count = evaluation.confusion(label * classes + predicted);
      cells.push_back(count == 0 ? "." : absl::StrCat(count));
    }
    table.AddRow(std::move(cells));
  }
  return table.Render();
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

std::string DescribeEvaluation(const v1::Evaluation& evaluation) {
  std::string text =
      absl::StrCat("accuracy       ", FormatPercent(evaluation.accuracy()), " of ",
                   FormatCount(evaluation.examples()), " examples (", PartName(evaluation.part()),
                   ")\ncross-entropy  ", FormatValue(evaluation.cross_entropy()), "\n\n",
                   ClassTable(evaluation));
  const int classes = evaluation.classes_size();
  if (classes > kMaxConfusionClasses) {
    absl::StrAppend(&text, "\nThe confusion matrix of ", classes,
                    " classes is part of --output json.\n");
  } else if (evaluation.confusion_size() == classes * classes) {
    absl::StrAppend(&text, "\nconfusion: a row is a label, a column what was predicted\n",
                    ConfusionTable(evaluation));
  }
  return text;
}

}  // namespace mlp

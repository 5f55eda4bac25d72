#include "client/commands/evaluation_figure.h"

#include <absl/strings/str_cat.h>

#include "client/commands/evaluation_panels.h"
#include "client/commands/evaluation_text.h"
#include "client/terminal/numbers.h"

namespace mlp {
namespace {

// Two columns and two rows of square panels, with room for names left of and below each.
constexpr int kPageWidth = 1000;
constexpr int kPageHeight = 1080;
constexpr double kSide = 370;
constexpr double kLeft[] = {110, 600};
constexpr double kTop[] = {100, 610};

PageBox Panel(int row, int column) { return {kLeft[column], kTop[row], kSide, kSide}; }

}  // namespace

absl::StatusOr<std::string> DrawEvaluation(const v1::EvaluateModelResponse& response,
                                           const std::string& dataset, FigureFormat format) {
  const v1::Evaluation& evaluation = response.evaluation();
  Drawing drawing(format, kPageWidth, kPageHeight);
  drawing.Text({kPageWidth / 2.0, 36},
               absl::StrCat(response.model(), "@", response.version(), " on ", dataset, " (",
                            PartName(evaluation.part()), ")"),
               {.size = 17, .anchor = Anchor::kMiddle, .bold = true});
  std::string summary = absl::StrCat("accuracy ", FormatPercent(evaluation.accuracy()), " of ",
                                     FormatCount(evaluation.examples()), " examples, macro F1 ",
                                     FormatPercent(evaluation.macro().f1()));
  if (evaluation.has_log_loss()) {
    absl::StrAppend(&summary, ", log-loss ", FormatValue(evaluation.log_loss()));
  }
  drawing.Text({kPageWidth / 2.0, 58}, summary, {.size = 12, .anchor = Anchor::kMiddle});
  DrawConfusion(evaluation, Panel(0, 0), drawing);
  DrawPrecisionRecall(evaluation, Panel(0, 1), drawing);
  DrawReliability(evaluation, Panel(1, 0), drawing);
  DrawRoc(evaluation, Panel(1, 1), drawing);
  return drawing.Finish();
}

}  // namespace mlp

#include "client/commands/evaluation_panels.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include "client/commands/evaluation_confusion.h"
#include "client/commands/evaluation_curves.h"
#include "client/figure/unit_axes.h"
#include "client/terminal/numbers.h"
#include "client/terminal/table.h"

namespace mlp {
namespace {

constexpr int kMostConfused = 40;
// Told apart by the colour-blind: Okabe and Ito's, and two more.
constexpr uint32_t kColors[] = {0xD55E00, 0x0072B2, 0x009E73, 0xCC79A7, 0xE69F00,
                                0x56B4E9, 0x7F3C8D, 0x222222, 0xA5AA00, 0x8C564B};
constexpr Color kOtherClasses = {0xC8C8C8};
constexpr uint32_t kBlue = 0x08519C;
constexpr uint32_t kOrange = 0xC04000;
constexpr size_t kMostLetters = 14;

// `color` thinned with white: 0 is white, 1 the color.
Color Tint(uint32_t color, double strength) {
  uint32_t rgb = 0;
  for (const int shift : {16, 8, 0}) {
    const double channel = (color >> shift & 0xFF) * strength + 255.0 * (1.0 - strength);
    rgb |= static_cast<uint32_t>(std::lround(channel)) << shift;
  }
  return {rgb};
}

// Names that are too long end with an ellipsis.
std::string ShortName(const std::string& name) {
  if (DisplayWidth(name) <= kMostLetters) return name;
  size_t end = 0;
  for (size_t letters = 0; end < name.size(); ++end) {
    const bool starts = (static_cast<unsigned char>(name[end]) & 0xC0) != 0x80;
    if (starts && letters++ == kMostLetters - 1) break;
  }
  return absl::StrCat(name.substr(0, end), "…");
}

void DrawCell(const v1::Evaluation& evaluation, int label, int prediction, const PageBox& cell,
              Drawing& drawing) {
  const int64_t count = ConfusionCount(evaluation, label, prediction);
  if (count == 0) return;
  // A root, so that a handful of mistakes beside thousands still shows.
  const double strength = std::sqrt(ConfusionShare(evaluation, label, prediction));
  drawing.Fill(cell, Tint(label == prediction ? kBlue : kOrange, 0.1 + 0.9 * strength));
  const std::string text = absl::StrCat(count);
  const double size =
      std::min({12.0, cell.height * 0.6, cell.width * 1.4 / static_cast<double>(text.size())});
  if (size < 5.0) return;
  drawing.Text({cell.x + cell.width / 2, cell.y + cell.height / 2 + size * 0.36}, text,
               {.size = size,
                .color = {strength > 0.55 ? 0xFFFFFFu : 0x222222u},
                .anchor = Anchor::kMiddle});
}

struct CurvePanel {
  AxesText text;
  std::function<std::vector<UnitPoint>(const v1::ClassEvaluation&)> points;
  std::string area_name;
  std::function<double(const v1::ClassEvaluation&)> area;
};

UnitAxes DrawCurves(const v1::Evaluation& evaluation, const CurvePanel& panel, const PageBox& box,
                    bool legend_right, Drawing& drawing) {
  UnitAxes axes(drawing, box, panel.text);
  const std::vector<int> classes = HardestClasses(evaluation, evaluation.classes_size());
  std::vector<LegendEntry> legend;
  // From the easiest, so that the hardest are drawn over the others.
  for (size_t i = classes.size(); i-- > 0;) {
    const v1::ClassEvaluation& of_class = evaluation.classes(classes[i]);
    const bool colored = i < std::size(kColors);
    const Color color = colored ? Color{kColors[i]} : kOtherClasses;
    axes.Curve(panel.points(of_class), {.color = color, .width = colored ? 1.6 : 1.0});
    if (!colored) continue;
    legend.push_back(
        {absl::StrFormat("%s  %.4f", ShortName(of_class.class_name()), panel.area(of_class)),
         color});
  }
  std::reverse(legend.begin(), legend.end());
  if (legend.size() < classes.size()) {
    legend.push_back({absl::StrCat(classes.size() - legend.size(), " others"), kOtherClasses});
  }
  axes.Legend(absl::StrCat("class  ", panel.area_name), legend, legend_right);
  return axes;
}

}  // namespace

void DrawConfusion(const v1::Evaluation& evaluation, const PageBox& box, Drawing& drawing) {
  if (!HasConfusion(evaluation)) return;
  const std::vector<int> classes = MostConfusedClasses(evaluation, kMostConfused);
  const auto shown = static_cast<double>(classes.size());
  const double side = box.width / shown;
  const double letters = std::clamp(side * 0.7, 4.0, 11.0);
  bool long_names = false;
  for (size_t i = 0; i < classes.size(); ++i) {
    const std::string name = ShortName(evaluation.classes(classes[i]).class_name());
    long_names |= static_cast<double>(DisplayWidth(name)) * letters * 0.6 > side - 2;
  }
  for (size_t row = 0; row < classes.size(); ++row) {
    const std::string name = ShortName(evaluation.classes(classes[row]).class_name());
    const double middle = side * (static_cast<double>(row) + 0.5);
    drawing.Text({box.x - 6, box.y + middle + letters * 0.36}, name,
                 {.size = letters, .anchor = Anchor::kRight});
    const double below = box.y + box.height;
    drawing.Text(long_names ? PagePoint{box.x + middle + letters * 0.36, below + 6}
                            : PagePoint{box.x + middle, below + 15},
                 name,
                 {.size = letters,
                  .anchor = long_names ? Anchor::kRight : Anchor::kMiddle,
                  .upwards = long_names});
    for (size_t column = 0; column < classes.size(); ++column) {
      DrawCell(evaluation, classes[row], classes[column],
               {box.x + side * static_cast<double>(column), box.y + side * static_cast<double>(row),
                side, side},
               drawing);
    }
  }
  drawing.Outline(box, {.color = {0x888888}});
  std::string title = "Confusion";
  if (static_cast<int>(classes.size()) < evaluation.classes_size()) {
    absl::StrAppend(&title, ": the ", classes.size(), " most confused of ",
                    evaluation.classes_size(), " classes");
  }
  DrawTitle(drawing, box, title);
  drawing.Text({box.x + box.width / 2, box.y + box.height + (long_names ? 92 : 32)}, "predicted",
               {.anchor = Anchor::kMiddle});
  drawing.Text({box.x - (long_names ? 92 : 32), box.y + box.height / 2}, "label",
               {.anchor = Anchor::kMiddle, .upwards = true});
}

void DrawPrecisionRecall(const v1::Evaluation& evaluation, const PageBox& box, Drawing& drawing) {
  DrawCurves(evaluation,
             {.text = {.title = "Precision and recall", .x_name = "recall", .y_name = "precision"},
              .points = PrecisionRecallCurve,
              .area_name = "average precision",
              .area = [](const v1::ClassEvaluation& c) { return c.average_precision(); }},
             box, /*legend_right=*/false, drawing);
}

void DrawRoc(const v1::Evaluation& evaluation, const PageBox& box, Drawing& drawing) {
  DrawCurves(
      evaluation,
      {.text = {.title = "ROC", .x_name = "false positive rate", .y_name = "true positive rate"},
       .points = RocCurve,
       .area_name = "area",
       .area = [](const v1::ClassEvaluation& c) { return c.roc_auc(); }},
      box, /*legend_right=*/true, drawing)
      .Diagonal();
}

void DrawReliability(const v1::Evaluation& evaluation, const PageBox& box, Drawing& drawing) {
  if (evaluation.reliability().empty()) return;
  UnitAxes axes(drawing, box,
                {.title = absl::StrCat("Reliability, ECE ",
                                       FormatPercent(evaluation.expected_calibration_error())),
                 .x_name = "confidence",
                 .y_name = "accuracy; orange: share of the examples"});
  const double examples = static_cast<double>(std::max<int64_t>(evaluation.examples(), 1));
  for (const v1::ReliabilityBin& bin : evaluation.reliability()) {
    if (bin.examples() == 0) continue;
    axes.Bar(bin.lower(), bin.upper(), bin.accuracy(), Tint(kBlue, 0.45));
    const double width = bin.upper() - bin.lower();
    axes.Bar(bin.lower() + 0.3 * width, bin.upper() - 0.3 * width,
             static_cast<double>(bin.examples()) / examples, Color{kColors[4]});
  }
  axes.Diagonal();
}

}  // namespace mlp

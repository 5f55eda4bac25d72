#include "client/commands/evaluation_calibration.h"

#include <algorithm>
#include <cmath>

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include "client/terminal/numbers.h"
#include "client/terminal/table.h"

namespace mlp {
namespace {

constexpr int kBarColumns = 26;

std::string BarWithMark(const v1::ReliabilityBin& bin, const TerminalStyle& style) {
  const auto filled = static_cast<int>(std::lround(bin.accuracy() * kBarColumns));
  const int mark = std::clamp(static_cast<int>(std::floor(bin.mean_confidence() * kBarColumns)), 0,
                              kBarColumns - 1);
  std::string bar;
  for (int i = 0; i < std::max(filled, mark + 1); ++i) {
    if (i == mark) {
      bar += style.utf8 ? "│" : "|";
    } else if (i < filled) {
      bar += style.utf8 ? "■" : "#";
    } else {
      bar += " ";
    }
  }
  return bar;
}

}  // namespace

std::string CalibrationText(const v1::Evaluation& evaluation, const TerminalStyle& style) {
  if (evaluation.reliability().empty()) return "";
  using Align = Table::Align;
  const std::string mark = style.utf8 ? "│" : "|";
  Table table({{"confidence"},
               {"examples", Align::kRight},
               {"mean", Align::kRight},
               {"accuracy", Align::kRight},
               {absl::StrCat("accuracy; ", mark, " is the confidence")}});
  for (const v1::ReliabilityBin& bin : evaluation.reliability()) {
    if (bin.examples() == 0) continue;
    table.AddRow({absl::StrFormat("%.2f - %.2f", bin.lower(), bin.upper()),
                  FormatCount(bin.examples()), absl::StrFormat("%.4f", bin.mean_confidence()),
                  absl::StrFormat("%.4f", bin.accuracy()), BarWithMark(bin, style)});
  }
  return absl::StrCat("reliability: how often answers of a confidence are right\n", table.Render());
}

}  // namespace mlp

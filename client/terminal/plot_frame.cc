#include "client/terminal/plot_frame.h"

#include <algorithm>

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>

#include "client/terminal/numbers.h"
#include "client/terminal/table.h"

namespace mlp {

std::string RenderFrame(const Canvas& canvas, const PlotFrame& frame, const TerminalStyle& style) {
  const std::string high = FormatValue(frame.y.high);
  const std::string low = FormatValue(frame.y.low);
  const size_t label_width = std::max(high.size(), low.size());
  std::string text =
      absl::StrCat(frame.title, frame.y.logarithmic ? " (log scale)" : "", frame.legend, "\n");
  for (int row = 0; row < canvas.rows(); ++row) {
    const std::string label = row == 0 ? high : row == canvas.rows() - 1 ? low : "";
    const std::string line =
        absl::StrCat(PadLeft(label, label_width), style.utf8 ? " │" : " |", canvas.Row(row));
    absl::StrAppend(&text, absl::StripTrailingAsciiWhitespace(line), "\n");
  }
  std::string axis = style.utf8 ? " └" : " +";
  for (int i = 0; i < canvas.columns(); ++i) axis += style.utf8 ? "─" : "-";
  absl::StrAppend(&text, std::string(label_width, ' '), axis, "\n");
  const auto columns = static_cast<size_t>(canvas.columns());
  const size_t used = DisplayWidth(frame.first_x);
  absl::StrAppend(&text, std::string(label_width + 2, ' '), frame.first_x,
                  PadLeft(frame.last_x, columns > used ? columns - used : 0), "\n");
  return text;
}

}  // namespace mlp

#include "client/commands/progress_text.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include "client/terminal/numbers.h"

namespace mlp {
namespace {

// Terminals as narrow as this have no room for all of a line.
constexpr int kRoomForRate = 90;

std::string Short(double value) { return absl::StrFormat("%.4g", value); }

}  // namespace

bool CountsEpochs(const v1::TrainingConfig& config) { return config.stopping().max_epochs() > 0; }

std::string ProgressText(const v1::ProgressPoint& point, bool epochs) {
  std::string line = absl::StrCat(epochs ? "epoch " : "iteration ", point.iteration(), "  cost ",
                                  FormatValue(point.cost()));
  if (point.has_validation_cost()) {
    absl::StrAppend(&line, "  validation cost ", FormatValue(point.validation_cost()));
  }
  absl::StrAppend(&line, "  gradient ", FormatValue(point.gradient_norm()),
                  epochs ? "  rate " : "  step ", FormatValue(point.step()));
  if (point.examples_per_second() > 0) {
    absl::StrAppend(&line, "  ", FormatCount(static_cast<int64_t>(point.examples_per_second())),
                    " examples/s");
  }
  return absl::StrCat(line, "  ", FormatSeconds(point.elapsed_seconds()));
}

Progress LiveProgress(const v1::ProgressPoint& point, bool epochs, int64_t last,
                      const TerminalStyle& style) {
  Progress progress = {.name = epochs ? "epoch" : "iteration",
                       .done = point.iteration(),
                       .total = last,
                       .detail = absl::StrCat("cost ", Short(point.cost())),
                       .rate_unit = "examples/s",
                       .rate = point.examples_per_second(),
                       .elapsed_seconds = point.elapsed_seconds()};
  if (point.has_validation_cost()) {
    absl::StrAppend(&progress.detail, "  validation ", Short(point.validation_cost()));
  }
  if (epochs && style.width >= kRoomForRate) {
    absl::StrAppend(&progress.detail, "  rate ", Short(point.step()));
  }
  if (point.has_seconds_left()) progress.seconds_left = point.seconds_left();
  return progress;
}

}  // namespace mlp

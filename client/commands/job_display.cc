#include "client/commands/job_display.h"

#include <algorithm>

#include <absl/strings/str_cat.h>

#include "client/commands/resource_text.h"
#include "client/commands/study_text.h"
#include "client/terminal/numbers.h"
#include "client/terminal/plot.h"
#include "client/terminal/progress_line.h"

namespace mlp {
namespace {

constexpr size_t kRateWindow = 32;
constexpr double kRedrawSeconds = 0.05;

// In a pipe lines get rarer as iterations go on: each one up to 10, each tenth up to 100, and so
// on.
// `--output json` has them all.
bool HasPlainLine(int iteration) {
  int step = 1;
  while (iteration / step > 10) step *= 10;
  return iteration % step == 0;
}

std::string PlainLine(const v1::ProgressPoint& point) {
  std::string line =
      absl::StrCat("iteration ", point.iteration(), "  cost ", FormatValue(point.cost()));
  if (point.has_validation_cost()) {
    absl::StrAppend(&line, "  validation cost ", FormatValue(point.validation_cost()));
  }
  return absl::StrCat(line, "  gradient ", FormatValue(point.gradient_norm()), "  step ",
                      FormatValue(point.step()), "  ", FormatSeconds(point.elapsed_seconds()));
}

std::string RunLine(const v1::ProgressPoint& point) {
  return absl::StrCat("run ", point.iteration(), "  training cost ", FormatValue(point.cost()),
                      "  validation cost ", FormatValue(point.validation_cost()), "  ",
                      FormatSeconds(point.elapsed_seconds()));
}

}  // namespace

void JobDisplay::OnJob(const v1::TrainingJob& job) {
  study_ = job.config().has_study();
  max_iterations_ = study_ ? PlannedRuns(job.config().study())
                           : int64_t{job.config().stopping().max_iterations()};
  if (context_.json() || !costs_.empty()) return;
  context_.out() << "job " << job.id() << ": " << StateName(job.state()) << ", training "
                 << job.model() << " (" << LayersText(job.config().network()) << ") on "
                 << job.dataset() << std::endl;
}

void JobDisplay::OnProgress(const v1::ProgressPoint& point) {
  if (costs_.empty()) first_iteration_ = point.iteration();
  next_iteration_ = int64_t{point.iteration()} + 1;
  costs_.push_back(point.cost());
  elapsed_.push_back(point.elapsed_seconds());
  if (context_.json()) {
    context_.PrintJson(point);
  } else if (!context_.live()) {
    if (study_) {
      context_.out() << RunLine(point) << std::endl;
    } else if (HasPlainLine(point.iteration())) {
      context_.out() << PlainLine(point) << std::endl;
    }
  } else if (point.elapsed_seconds() - last_drawn_seconds_ >= kRedrawSeconds) {
    Redraw(point);
  }
}

double JobDisplay::RecentRate() const {
  const size_t window = std::min(kRateWindow, elapsed_.size() - 1);
  const double seconds = elapsed_.back() - elapsed_[elapsed_.size() - 1 - window];
  return seconds > 0 ? static_cast<double>(window) / seconds : 0;
}

void JobDisplay::Redraw(const v1::ProgressPoint& point) {
  const Progress progress = {.name = "training",
                             .done = point.iteration(),
                             .total = max_iterations_,
                             .detail = absl::StrCat("cost ", FormatValue(point.cost())),
                             .rate_unit = study_ ? "runs/s" : "it/s",
                             .rate = RecentRate(),
                             .elapsed_seconds = point.elapsed_seconds()};
  context_.out() << kRedraw << RenderProgress(progress, context_.style()) << std::flush;
  last_drawn_seconds_ = point.elapsed_seconds();
  line_open_ = true;
}

void JobDisplay::OnStop() {
  if (line_open_) context_.out() << std::endl;
  line_open_ = false;
}

void JobDisplay::OnEnd(const v1::TrainingJob& job) {
  if (context_.json()) {
    context_.PrintJson(job);
    return;
  }
  if (context_.live()) {
    if (line_open_) context_.out() << kRedraw;
    line_open_ = false;
    const PlotOptions options = {.columns = std::clamp(context_.style().width - 16, 10, 60),
                                 .rows = 10,
                                 .title = "cost",
                                 .x_name = "iteration",
                                 .first_x = static_cast<int>(first_iteration_)};
    const std::string plot = study_ ? "" : RenderPlot(costs_, options, context_.style());
    if (!plot.empty()) context_.out() << plot << "\n";
  }
  const std::string runs = DescribeRuns(job, context_.style());
  context_.out() << SummarizeJob(job) << (runs.empty() ? "" : "\n") << runs << std::flush;
}

}  // namespace mlp

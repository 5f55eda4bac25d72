#include "client/commands/job_display.h"

#include <algorithm>
#include <cmath>

#include <absl/strings/str_cat.h>

#include "client/commands/progress_text.h"
#include "client/commands/resource_text.h"
#include "client/commands/study_text.h"
#include "client/terminal/plot.h"
#include "client/terminal/progress_line.h"

namespace mlp {
namespace {

constexpr double kRedrawSeconds = 0.05;

// In a pipe lines get rarer as iterations go on: each one up to 10, each tenth up to 100, and so
// on. `--output json` has them all.
bool HasPlainLine(int iteration) {
  int step = 1;
  while (iteration / step > 10) step *= 10;
  return iteration % step == 0;
}

}  // namespace

void JobDisplay::OnJob(const v1::TrainingJob& job) {
  study_ = job.config().study();
  epochs_ = CountsEpochs(job.config());
  last_iteration_ =
      epochs_ ? job.config().stopping().max_epochs() : job.config().stopping().max_iterations();
  if (context_.json() || !costs_.empty()) return;
  context_.out() << "job " << job.id() << ": " << StateName(job.state()) << ", training "
                 << job.model() << " (" << LayersText(job.config().network()) << ") on "
                 << job.dataset() << std::endl;
}

void JobDisplay::OnProgress(const v1::ProgressPoint& point) {
  if (costs_.empty()) first_iteration_ = point.iteration();
  next_iteration_ = int64_t{point.iteration()} + 1;
  costs_.push_back(point.cost());
  validation_costs_.push_back(point.has_validation_cost() ? point.validation_cost() : std::nan(""));
  has_validation_ = has_validation_ || point.has_validation_cost();
  if (context_.json()) {
    context_.PrintJson(point);
  } else if (!context_.live()) {
    if (epochs_ || IsStudy() || HasPlainLine(point.iteration())) {
      context_.out() << PlainLine(point) << std::endl;
    }
  } else if (point.elapsed_seconds() - last_drawn_seconds_ >= kRedrawSeconds) {
    Redraw(point);
  }
}

std::string JobDisplay::PlainLine(const v1::ProgressPoint& point) const {
  return IsStudy() ? RunText(point) : ProgressText(point, epochs_);
}

void JobDisplay::Redraw(const v1::ProgressPoint& point) {
  const Progress progress = IsStudy()
                                ? LiveRuns(point, study_)
                                : LiveProgress(point, epochs_, last_iteration_, context_.style());
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
    const PlotOptions options = {
        .columns = std::clamp(context_.style().width - 16, 10, 60),
        .rows = 10,
        .title = has_validation_ ? "cost: training (line), validation (dots)" : "cost",
        .x_name = epochs_ ? "epoch" : "iteration",
        .first_x = static_cast<int>(first_iteration_)};
    const std::string plot =
        IsStudy() ? "" : RenderPlot(costs_, options, context_.style(), validation_costs_);
    if (!plot.empty()) context_.out() << plot << "\n";
  }
  const std::string runs = DescribeRuns(job, context_.style());
  context_.out() << SummarizeJob(job) << (runs.empty() ? "" : "\n") << runs << std::flush;
}

}  // namespace mlp

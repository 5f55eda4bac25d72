// Shows a job's progress while it runs and what became of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "client/commands/command.h"
#include "mlp/v1/training.pb.h"

namespace mlp {

// JSON: one object a progress point, then one for the job. Text on a terminal: one line that is
// drawn over, then a plot of the cost and a summary. Text in a pipe: one line a point, then the
// summary. A study has a point a run, and in place of the plot the table of its runs.
// Thread-compatible.
class JobDisplay {
 public:
  explicit JobDisplay(CommandContext& context) : context_(context) {}

  // The job when watching begins, and after a reconnection.
  void OnJob(const v1::TrainingJob& job);
  void OnProgress(const v1::ProgressPoint& point);
  void OnEnd(const v1::TrainingJob& job);
  // Watching stops before the job does.
  void OnStop();

  // The iteration after the last one shown.
  int64_t next_iteration() const { return next_iteration_; }

 private:
  bool IsStudy() const { return study_.kind_case() != v1::Study::KIND_NOT_SET; }
  std::string PlainLine(const v1::ProgressPoint& point) const;
  void Redraw(const v1::ProgressPoint& point);

  CommandContext& context_;
  v1::Study study_;  // of no kind where the job is none
  bool epochs_ = false;
  int64_t last_iteration_ = 0;
  int64_t first_iteration_ = 0;
  int64_t next_iteration_ = 0;
  std::vector<double> costs_;
  std::vector<double> validation_costs_;  // NaN where there is none
  bool has_validation_ = false;
  double last_drawn_seconds_ = -1;
  bool line_open_ = false;
};

}  // namespace mlp

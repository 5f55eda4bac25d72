// Studies as text.
#pragma once

#include <cstdint>
#include <string>

#include "client/terminal/progress_line.h"
#include "client/terminal/style.h"
#include "mlp/v1/training.pb.h"

namespace mlp {

// "5-fold cross-validation", "lambda curve", "random search of learning_rate and hidden_units".
std::string StudyName(const v1::Study& study);

// A progress point of a study as ProgressText has others:
// `run 3  training cost 0.2  validation cost 0.3  1.20 s`.
std::string RunText(const v1::ProgressPoint& point);

// The same for a line that is drawn over.
Progress LiveRuns(const v1::ProgressPoint& point, const v1::Study& study);

// The runs of a job's study: a table with the best one marked, for k-fold their mean and standard
// deviation, and for a curve a plot of the costs and what they say. Lines end with \n. Empty where
// there are no runs.
std::string DescribeRuns(const v1::TrainingJob& job, const TerminalStyle& style);

}  // namespace mlp

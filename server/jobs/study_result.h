// What a job says of the study that it made.
#pragma once

#include <string>

#include "core/train/study.h"
#include "core/train/study_options.h"
#include "mlp/v1/training.pb.h"

namespace mlp {

// Runs, best run, seconds and, as iterations, the number of runs.
void FillStudyResult(const StudyOutcome& outcome, v1::TrainingResult& result);

// For people: `best lambda 0.3: validation cost 0.29 (run 5 of 8)`; of k-fold the mean and standard
// deviation over the folds; of a learning
// curve the costs of the run with the most examples; and how many runs diverged. Requires a run.
std::string StudyMessage(const StudyOptions& study, const StudyOutcome& outcome);

}  // namespace mlp

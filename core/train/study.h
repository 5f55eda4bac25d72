// Trains the networks of a study one after the other: StudyPlan -> TrainOnSplit for each run ->
// a table of runs, and the best network of a search.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "core/data/dataset.h"
#include "core/train/study_options.h"
#include "core/train/trainer.h"
#include "core/train/training_config.h"
#include "core/train/training_context.h"

namespace mlp {

// Of one part, of the weights that a run kept.
struct StudyScore {
  double cost = 0.0;  // mean cross-entropy, without regularization
  double accuracy = 0.0;
};

// What became of one run.
struct StudyRun {
  int number = 0;  // from 1 up
  std::vector<StudySetting> settings;
  StopReason reason = StopReason::kConverged;
  std::string message;
  int iterations = 0;
  int best_iteration = 0;  // whose weights the scores are of
  double seconds = 0.0;
  int64_t training_examples = 0;
  int64_t validation_examples = 0;
  // Nothing where the run diverged.
  std::optional<StudyScore> training;
  std::optional<StudyScore> validation;
};

struct StudyOutcome {
  bool cancelled = false;
  std::vector<StudyRun> runs;  // those that came to their end, in order
  // Of a lambda curve or a search: the number of the run with the lowest validation cost, the first
  // of equal ones; 0 where none has one.
  int best_run = 0;
  double seconds = 0.0;  // wall time of all runs
  // Of a search that was not cancelled and has a best run: its configuration, and its outcome with
  // an evaluation of the test part, where there is one.
  std::optional<TrainingConfig> best_config;
  std::optional<TrainingOutcome> best;
};

// Runs on the calling thread and context.pool; each run as TrainOnSplit does, from context.start
// where it is given, so the result has the same bits with any number of threads. The runs of a
// search are scored with their best weights; the others with their last, unless there is early
// stopping (stopping.patience). context.observer gets one point a run: its number as iteration, its
// costs without regularization (NaN where it diverged), the time since the study began, and the
// time left if all runs take as long. A run that diverges is one row of the result. Cancelled: the
// runs that came to their end are kept. The test part is read once, for the network of a search.
// context.checkpoints gets what WriteStudyCheckpoint makes, after runs and when the study is
// cancelled; with `resume`, which is what ReadStudyCheckpoint made of one of this study, the study
// goes on with the next run (context.resume is no part of it). Errors: MakeStudyPlan's, and
// TrainOnSplit's with the run's number in front.
absl::StatusOr<StudyOutcome> RunStudy(const Dataset& dataset, const StudyOptions& study,
                                      const TrainingConfig& config, const TrainingContext& context,
                                      const StudyOutcome* resume = nullptr);

}  // namespace mlp

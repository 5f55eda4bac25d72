// The runs of a study, before any is made: which settings each has, and which rows it trains on.
// RunStudy makes them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/types/span.h>

#include "core/data/dataset.h"
#include "core/data/split.h"
#include "core/train/study_options.h"
#include "core/train/training_config.h"

namespace mlp {

// One network to train. Its seed is the study's: runs start from like weights.
struct PlannedRun {
  std::vector<StudySetting> settings;
  TrainingConfig config;
};

// Immutable once made.
struct StudyPlan {
  // In the order in which they are made, at least 1. Run i has number i + 1.
  std::vector<PlannedRun> runs;
  Split split;  // of the whole dataset, as config.split says

  // k-fold alone: the training part cut up; run i is validated on fold i.
  std::vector<std::vector<int64_t>> folds;
  // Learning curve alone: the training part in the order of which run i takes the first
  // training_rows[i].
  std::vector<int64_t> order;
  std::vector<int64_t> training_rows;
};

// What `study` makes of a training with `config` on data of this schema, with these labels [N].
// k-fold: fold by fold. Curves: in the order of their values. Grid: all combinations, the values of
// the last parameter changing fastest, the first max_runs of them. Random search: max_runs
// different draws, or less where there are not so many (after 100 draws a run).
// INVALID_ARGUMENT or FAILED_PRECONDITION naming the field, as in `study.k_fold.folds: ...`; else
// ValidateForDataset's and SplitRows' errors.
absl::StatusOr<StudyPlan> MakeStudyPlan(const StudyOptions& study, const TrainingConfig& config,
                                        const DatasetSchema& schema,
                                        absl::Span<const int32_t> labels);

// What run `run` (from 0) trains on and is validated on. The test part is empty: no run sees it.
Split RowsOfRun(const StudyPlan& plan, size_t run);

}  // namespace mlp

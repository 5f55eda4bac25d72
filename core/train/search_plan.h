// The settings that a grid or random search tries.
#pragma once

#include <vector>

#include <absl/status/statusor.h>

#include "core/train/study_plan.h"

namespace mlp {

// Combinations of the values of all parameters: 0 where one has none; at most INT32_MAX.
int GridSize(const Search& search);

// The runs of `search` from `config`, in order: see MakeStudyPlan. Draws follow config.seed.
// INVALID_ARGUMENT naming the field: a parameter that is none, or given twice, or of no use to
// `config`; a value out of its range; values and a range together, or neither; values twice; a
// range without random, with min >= max, or logarithmic from 0 or less; max_runs out of range.
absl::StatusOr<std::vector<PlannedRun>> PlanSearch(const Search& search,
                                                   const TrainingConfig& config);

}  // namespace mlp

// What is left of a training that was cut short: its stored progress -> TrainingResult.
#pragma once

#include "core/train/progress.h"
#include "mlp/v1/training.pb.h"
#include "server/store/store.h"

namespace mlp {

// Sets iterations and seconds of job.result to those of `newest`, the job's newest point, and the
// costs to J there and at iteration 0. A study has no J: its costs are left unset. Where the first
// point cannot be read, so is the initial cost.
void FillResultSoFar(const ProgressPoint& newest, Store& store, v1::TrainingJob& job);

// The same of a job as GetJob returns it; nothing where it has no progress.
void FillResultSoFar(Store& store, v1::TrainingJob& job);

}  // namespace mlp

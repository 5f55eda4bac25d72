// Where a job that is started again goes on: the newest of its checkpoints that can be read.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include <absl/strings/string_view.h>

#include "core/train/checkpoint.h"
#include "core/train/study.h"
#include "core/train/training_config.h"
#include "mlp/v1/training.pb.h"
#include "server/store/store.h"

namespace mlp {

// Names a training: its configuration, its data, this version, compiler and the CPU's kernels. Only
// what has the same name goes on to the same bits. The commit is no part of it: a training goes on
// over an update that leaves the version as it is.
std::string TrainingFingerprint(const v1::TrainingJob& job);

// The newest checkpoint of `job` that can be used. Says through `log` which ones cannot, and why;
// and where there is none that the training begins anew.
std::optional<Checkpoint> FindCheckpoint(const v1::TrainingJob& job, const TrainingConfig& config,
                                         Store& store,
                                         const std::function<void(absl::string_view)>& log);

// The same of a job that is a study.
std::optional<StudyOutcome> FindStudyCheckpoint(const v1::TrainingJob& job, Store& store,
                                                const std::function<void(absl::string_view)>& log);

}  // namespace mlp

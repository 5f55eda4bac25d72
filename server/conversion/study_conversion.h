// What the API says about studies <-> core's StudyOptions and StudyRun. What makes sense is for
// MakeStudyPlan to say.
#pragma once

#include <optional>

#include <absl/status/statusor.h>

#include "core/train/study.h"
#include "core/train/study_options.h"
#include "mlp/v1/training.pb.h"

namespace mlp {

// The study that `config` asks for, with every default filled in as training.proto states them;
// nothing where it asks for none. INVALID_ARGUMENT where `study` is set, but none of its kinds; or
// where it searches for units of layers that initial_model brings.
absl::StatusOr<std::optional<StudyOptions>> StudyFromApi(const v1::TrainingConfig& config);

v1::Study StudyToApi(const StudyOptions& study);

v1::StudyRun StudyRunToApi(const StudyRun& run);

}  // namespace mlp

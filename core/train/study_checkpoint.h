// What a study has found so far, as bytes: it goes on with the next run after its process ended, to
// the same result.
#pragma once

#include <string>

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include "core/train/study.h"

namespace mlp {

// Format version 1 (see checkpoint_bytes.h): runs, number of the best one and seconds of `outcome`;
// of its best network, where there is one, weights, scaler and costs, and not the evaluations,
// which are made again.
std::string WriteStudyCheckpoint(const StudyOutcome& outcome, absl::string_view fingerprint);

// What RunStudy goes on from: `best` has no topology and no evaluations. CheckpointReader::Open's
// errors; DATA_LOSS where the fields are not what was written.
absl::StatusOr<StudyOutcome> ReadStudyCheckpoint(absl::string_view bytes,
                                                 absl::string_view fingerprint);

}  // namespace mlp

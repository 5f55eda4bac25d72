// The state machine of a job, and the few ways to move a job's record through it. Pure: the store
// makes a move durable, and refuses it where the stored state is another than expected.
#pragma once

#include <string>

#include <absl/status/status.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include "mlp/v1/training.pb.h"

namespace mlp {

//            cancel
//   QUEUED ------------------------------> CANCELLED
//    |  ^                                   ^
//    |  | the server stopped or restarted   | cancel
//    v  |                                   |
//   RUNNING --------------------------------+--> SUCCEEDED   a version was published
//       |
//       +--------------------------------------> FAILED      diverged, or could not run
//
// SUCCEEDED, FAILED and CANCELLED are for ever.
bool CanMove(v1::JobState from, v1::JobState to);

// SUCCEEDED, FAILED or CANCELLED.
bool IsEnded(v1::JobState state);

// QUEUED -> RUNNING: counts the attempt.
void StartJob(v1::TrainingJob& job, absl::Time now);

// RUNNING -> QUEUED: to go on later, from a checkpoint where there is one.
void RequeueJob(v1::TrainingJob& job, absl::string_view message);

// To an ended state. The result is the caller's to fill.
void EndJob(v1::TrainingJob& job, v1::JobState state, v1::StopReason reason,
            absl::string_view message, absl::Time now);

v1::JobLogLine MakeLogLine(absl::string_view text, absl::Time now);

// What a job's message says of an error: the details of a bug (INTERNAL) are not for callers.
std::string MessageForPeople(const absl::Status& status);

}  // namespace mlp

// LearningRateSchedule <-> core's ScheduleOptions.
#pragma once

#include <absl/status/statusor.h>

#include "core/optim/optimizer.h"
#include "mlp/v1/training.pb.h"

namespace mlp {

// Every default filled in. INVALID_ARGUMENT: an unknown enum value, or a field set that the kind of
// schedule has no use for.
absl::StatusOr<ScheduleOptions> ScheduleFromApi(const v1::LearningRateSchedule& schedule);

// Sets the fields that this kind of schedule uses.
void ScheduleToApi(const ScheduleOptions& options, v1::LearningRateSchedule& schedule);

}  // namespace mlp

// When a call's caller stops waiting. Only included by .cc files.
#pragma once

#include <absl/time/time.h>
#include <grpcpp/grpcpp.h>

#include "core/base/clock.h"

namespace mlp {

// The call's deadline in terms of Clock::System().Elapsed(); infinite where it has none.
inline absl::Duration CallDeadline(const grpc::ServerContext& context, absl::Duration now) {
  const gpr_timespec deadline = context.raw_deadline();
  if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0) {
    return absl::InfiniteDuration();
  }
  const gpr_timespec left = gpr_time_sub(deadline, gpr_now(deadline.clock_type));
  return now + absl::Seconds(left.tv_sec) + absl::Nanoseconds(left.tv_nsec);
}

}  // namespace mlp

// Why a call ends without an answer though nothing is wrong with it: one wording for all services.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

namespace mlp {

// CANCELLED: nobody waits for the answer any more.
inline absl::Status CallerGone() { return absl::CancelledError("the caller has gone"); }

// After which a client finds the server back, most likely.
inline constexpr absl::Duration kRestartDelay = absl::Seconds(5);

// UNAVAILABLE: whoever calls again once the server is back gets an answer.
inline absl::Status ServerStopping() { return absl::UnavailableError("the server is stopping"); }

}  // namespace mlp

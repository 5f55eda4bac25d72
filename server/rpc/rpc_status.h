// How every call ends: its absl::Status becomes a grpc::Status in one place and is counted. Only
// included by .cc files.
#pragma once

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/time/time.h>
#include <grpcpp/support/status.h>

#include "server/telemetry/metrics.h"

namespace mlp {

// Ends an RPC that took `duration`: counts it under `metrics` and gives the status for the caller,
// with the same code and message (absl's and gRPC's codes have the same numbers) and its retry
// delay. The message of an INTERNAL error goes to the log, and the caller gets "internal error"
// alone.
grpc::Status ConcludeRpc(RpcMetrics& metrics, const absl::Status& status, absl::Duration duration);

// What of `status` a caller may see: `status` itself, but of INTERNAL errors, which are logged as
// `doing`, only that.
absl::Status VisibleStatus(absl::string_view doing, const absl::Status& status);

// Runs `handler`; std::bad_alloc becomes RESOURCE_EXHAUSTED, any other exception INTERNAL.
absl::Status CatchExceptions(absl::FunctionRef<absl::Status()> handler);

}  // namespace mlp

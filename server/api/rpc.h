// The frame around every unary handler: runs it, maps its absl::Status to a grpc::Status in one
// place, counts it. Only included by the .cc files of server/api.
#pragma once

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/time/time.h>
#include <grpcpp/support/status.h>

#include "server/telemetry/metrics.h"

namespace mlp {

// Ends an RPC that took `duration`: counts it under `metrics` and gives the status for the caller,
// with the same code and message (absl's and gRPC's codes have the same numbers). The message of an
// INTERNAL error goes to the log, and the caller gets "internal error" alone.
grpc::Status ConcludeRpc(RpcMetrics& metrics, const absl::Status& status, absl::Duration duration);

// Runs `handler`; std::bad_alloc becomes RESOURCE_EXHAUSTED, any other exception INTERNAL.
absl::Status CatchExceptions(absl::FunctionRef<absl::Status()> handler);

// CatchExceptions, then ConcludeRpc.
grpc::Status ServeRpc(RpcMetrics& metrics, absl::FunctionRef<absl::Status()> handler);

}  // namespace mlp

// From gRPC's status to absl's.
#pragma once

#include <absl/status/status.h>

namespace grpc {
class Status;
}

namespace mlp {

// The same code and message. A google.rpc.RetryInfo among the details becomes the payload
// kRetryInfoUrl (client/retry.h).
absl::Status FromGrpcStatus(const grpc::Status& status);

}  // namespace mlp

// "Come back in a while": how an error carries the delay after which a caller should try again.
#pragma once

#include <string>

#include <absl/status/status.h>
#include <absl/time/time.h>

namespace mlp {

// `error` with a delay of at least 1 ms; kept through absl::Status, sent as google.rpc.RetryInfo.
absl::Status WithRetryDelay(absl::Status error, absl::Duration delay);

// Zero where there is none.
absl::Duration RetryDelay(const absl::Status& error);

// What gRPC sends as grpc-status-details-bin: a serialized google.rpc.Status with the RetryInfo.
// Empty where `error` has no delay.
std::string StatusDetails(const absl::Status& error);

}  // namespace mlp

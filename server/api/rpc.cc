#include "server/api/rpc.h"

#include <exception>
#include <new>
#include <string>

#include "core/base/clock.h"
#include "server/telemetry/log.h"

namespace mlp {

absl::Status CatchExceptions(absl::FunctionRef<absl::Status()> handler) {
  try {
    return handler();
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("not enough memory for this request");
  } catch (const std::exception& error) {
    return absl::InternalError(error.what());
  }
}

grpc::Status ConcludeRpc(RpcMetrics& metrics, const absl::Status& status, absl::Duration duration) {
  metrics.Finished(status.code(), duration);
  if (status.ok()) return grpc::Status::OK;
  if (status.code() == absl::StatusCode::kInternal) {
    LogError(metrics.name(), status);
    return grpc::Status(grpc::StatusCode::INTERNAL, "internal error");
  }
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()));
}

grpc::Status ServeRpc(RpcMetrics& metrics, absl::FunctionRef<absl::Status()> handler) {
  const absl::Duration start = Clock::System().Elapsed();
  const absl::Status status = CatchExceptions(handler);
  return ConcludeRpc(metrics, status, Clock::System().Elapsed() - start);
}

}  // namespace mlp

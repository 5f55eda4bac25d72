#include "server/rpc/rpc_status.h"

#include <exception>
#include <new>
#include <string>

#include "server/retry_delay.h"
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

absl::Status VisibleStatus(absl::string_view doing, const absl::Status& status) {
  if (!absl::IsInternal(status)) return status;
  LogError(doing, status);
  return absl::InternalError("internal error");
}

grpc::Status ConcludeRpc(RpcMetrics& metrics, const absl::Status& status, absl::Duration duration) {
  metrics.Finished(status.code(), duration);
  if (status.ok()) return grpc::Status::OK;
  const absl::Status visible = VisibleStatus(metrics.name(), status);
  return grpc::Status(static_cast<grpc::StatusCode>(visible.code()), std::string(visible.message()),
                      StatusDetails(visible));
}

}  // namespace mlp

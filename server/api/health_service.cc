#include "server/api/health_service.h"

#include <utility>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "server/end_of_call.h"

namespace mlp {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

HealthService::HealthService(const HealthState& state, ModelConditions conditions,
                             const Options& options)
    : state_(state),
      conditions_(std::move(conditions)),
      services_(options.services.begin(), options.services.end()),
      poll_(options.poll) {}

void HealthService::AddTo(MethodTable& table) {
  constexpr absl::string_view kName = "grpc.health.v1.Health";
  table.AddUnary(kName, "Check", this, &HealthService::Check);
  table.Add(kName, "Watch", [this](RpcCall& call) { return Watch(call); });
}

HealthService::Serving HealthService::Find(const std::string& name, absl::Status& unknown) const {
  const Serving server =
      state_.serving() ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING;
  if (name.empty() || services_.contains(name)) return server;

  const absl::StatusOr<ModelCondition> condition = conditions_(name);
  if (absl::IsNotFound(condition.status())) {
    unknown = condition.status();
    return HealthCheckResponse::SERVICE_UNKNOWN;
  }
  if (absl::IsInvalidArgument(condition.status())) {  // no reference: no model can have that name
    unknown = absl::NotFoundError("service: expected a service or a model, got another name");
    return HealthCheckResponse::SERVICE_UNKNOWN;
  }
  if (!condition.ok()) return HealthCheckResponse::UNKNOWN;  // the store does not answer
  switch (*condition) {
    case ModelCondition::kReady:
    case ModelCondition::kStored:
    case ModelCondition::kLoading:
      return server;
    case ModelCondition::kUnloaded:
    case ModelCondition::kDamaged:
      break;
  }
  return HealthCheckResponse::NOT_SERVING;
}

absl::Status HealthService::Check(const HealthCheckRequest& request,
                                  HealthCheckResponse& response) {
  absl::Status unknown;
  const Serving serving = Find(request.service(), unknown);
  if (serving == HealthCheckResponse::SERVICE_UNKNOWN) return unknown;
  response.set_status(serving);
  return absl::OkStatus();
}

absl::Status HealthService::Watch(RpcCall& call) {
  HealthCheckRequest request;
  MLP_ASSIGN_OR_RETURN(const bool sent, call.Read(request));
  if (!sent) return absl::InvalidArgumentError("expected a request message, got none");
  HealthCheckResponse shown;
  for (bool first = true;; first = false) {
    // Counted before it is looked at, so that no change falls in between.
    const int64_t seen = state_.changes();
    const bool stopped = state_.stopped();
    absl::Status unknown;
    const Serving serving = Find(request.service(), unknown);
    if (first || serving != shown.status()) {
      shown.set_status(serving);
      if (!call.Write(shown)) return CallerGone();
    }
    if (stopped) return ServerStopping();
    if (call.Cancelled()) return CallerGone();
    state_.WaitForChange(seen, poll_);
  }
}

}  // namespace mlp

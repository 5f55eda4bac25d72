// grpc.health.v1.Health for the server, its services and its models. Without gRPC types.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <absl/container/flat_hash_set.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include "grpc/health/v1/health.pb.h"
#include "server/api/health_state.h"
#include "server/inference/resident_models.h"
#include "server/rpc/method_table.h"

namespace mlp {

// The name "" is the server; a service's full name is the same as the server; any other name is a
// model reference. The two cannot be taken for each other: services have upper-case letters in
// their names, models never.
//
// A model is SERVING where a request for it would be answered, after a load if it takes one, and
// the server itself is SERVING. Thread-safe.
class HealthService final : public RpcService {
 public:
  // ResidentModels::Condition; thread-safe.
  using ModelConditions = std::function<absl::StatusOr<ModelCondition>(absl::string_view)>;

  struct Options {
    std::vector<std::string> services;
    // How often a watch looks whether its caller has gone, and how its model does.
    absl::Duration poll = absl::Milliseconds(500);
  };

  // `state` outlives it.
  HealthService(const HealthState& state, ModelConditions conditions, const Options& options);

  void AddTo(MethodTable& table) override;

  // NOT_FOUND: no such service, model or version.
  absl::Status Check(const grpc::health::v1::HealthCheckRequest& request,
                     grpc::health::v1::HealthCheckResponse& response);
  // Writes the present status, then each change, until the caller goes (CANCELLED) or the server
  // stops (UNAVAILABLE). What there is not is SERVICE_UNKNOWN, and may come to be.
  absl::Status Watch(RpcCall& call);

 private:
  using Serving = grpc::health::v1::HealthCheckResponse::ServingStatus;

  // SERVICE_UNKNOWN, with why in `unknown`, where there is none of that name.
  Serving Find(const std::string& name, absl::Status& unknown) const;

  const HealthState& state_;
  const ModelConditions conditions_;
  const absl::flat_hash_set<std::string> services_;
  const absl::Duration poll_;
};

}  // namespace mlp

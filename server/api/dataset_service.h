// DatasetService on gRPC: check, convert, call the store.
#pragma once

#include <memory>

#include "server/api/dataset_receiver.h"
#include "server/store/store.h"
#include "server/telemetry/metrics.h"

namespace grpc {
class Service;
}

namespace mlp {

// `store` and `metrics` outlive the service. Thread-safe.
std::unique_ptr<grpc::Service> MakeDatasetService(const DatasetLimits& limits, Store& store,
                                                  Metrics& metrics);

}  // namespace mlp

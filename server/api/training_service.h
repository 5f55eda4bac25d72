// TrainingService on gRPC: check, convert, call the scheduler and the store.
#pragma once

#include <memory>

#include "server/jobs/scheduler.h"
#include "server/store/store.h"
#include "server/telemetry/metrics.h"

namespace grpc {
class Service;
}

namespace mlp {

// All three outlive the service. Thread-safe. A watch occupies a thread of the server while it
// lasts; JobScheduler::Stop ends it within a second unless its client has stopped reading.
std::unique_ptr<grpc::Service> MakeTrainingService(JobScheduler& scheduler, Store& store,
                                                   Metrics& metrics);

}  // namespace mlp

// ModelService: check, convert, call the store; EvaluateModel runs a resident model.
#pragma once

#include <memory>

#include "server/inference/resident_models.h"
#include "server/rpc/method_table.h"
#include "server/store/store.h"
#include "server/telemetry/metrics.h"

namespace mlp {

struct ModelServiceOptions {
  // Threads of one evaluation; one evaluation runs at a time.
  int evaluation_threads = 1;
};

// All outlive the service. Thread-safe.
std::unique_ptr<RpcService> MakeModelService(const ModelServiceOptions& options, Store& store,
                                             ResidentModels& models, Metrics& metrics);

}  // namespace mlp

// DatasetService: check, convert, call the store.
#pragma once

#include <memory>

#include "server/api/dataset_receiver.h"
#include "server/rpc/method_table.h"
#include "server/store/store.h"

namespace mlp {

// `store` outlives the service. Thread-safe.
std::unique_ptr<RpcService> MakeDatasetService(const DatasetLimits& limits, Store& store);

}  // namespace mlp

// DatasetService: check, convert, call the store.
#pragma once

#include <memory>

#include "server/api/dataset_receiver.h"
#include "server/rpc/method_table.h"
#include "server/store/store.h"

namespace mlp {

// Thread-safe.
class DatasetService : public RpcService {
 public:
  // For uploads that begin from now on.
  virtual void SetLimits(const DatasetLimits& limits) = 0;
};

// `store` outlives the service.
std::unique_ptr<DatasetService> MakeDatasetService(const DatasetLimits& limits, Store& store);

}  // namespace mlp

// ModelService's ExportModel and ImportModel, without gRPC types: versions as files.
#pragma once

#include <functional>
#include <memory>

#include "mlp/v1/model.pb.h"
#include "server/rpc/method_table.h"
#include "server/store/store.h"

namespace mlp {

struct ModelFilesOptions {
  // Called after a version was published.
  std::function<void(const v1::ModelVersion&)> on_published;
  // Of all files that are in memory at the same time; more are refused.
  int64_t max_bytes = int64_t{1} << 30;
};

// Thread-safe. `store` outlives it.
std::unique_ptr<RpcService> MakeModelFilesService(ModelFilesOptions options, Store& store);

}  // namespace mlp

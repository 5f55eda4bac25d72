// AdminService without gRPC types: backup and verification.
#pragma once

#include <memory>

#include "server/rpc/method_table.h"
#include "server/store/store.h"

namespace mlp {

// Thread-safe. `store` outlives it.
std::unique_ptr<RpcService> MakeAdminService(Store& store);

}  // namespace mlp

// ModelService's aliases, retention, notes and tags, without gRPC types.
#pragma once

#include <memory>
#include <string>

#include <absl/status/status.h>
#include <absl/strings/string_view.h>

#include "mlp/v1/model.pb.h"
#include "server/api/health_state.h"
#include "server/inference/resident_models.h"
#include "server/rpc/method_table.h"
#include "server/store/store.h"

namespace mlp {

// INVALID_ARGUMENT names `note` or `tags`.
absl::Status CheckNoteAndTags(const std::string& note,
                              const google::protobuf::Map<std::string, std::string>& tags);

// Thread-safe. The arguments outlive it.
std::unique_ptr<RpcService> MakeModelLifeService(Store& store, ResidentModels& models,
                                                 HealthState& health);

}  // namespace mlp

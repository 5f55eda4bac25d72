// inference.GRPCInferenceService but for ModelInfer and ModelStreamInfer, which go to the batcher:
// what there is, whether it is ready, and how it did.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include "inference/grpc_service.pb.h"
#include "server/inference/resident_models.h"
#include "server/rpc/method_table.h"
#include "server/store/store.h"

namespace mlp {

// Errors of every method that names a model: INVALID_ARGUMENT naming the field, NOT_FOUND (model or
// version); besides, the store's. Thread-safe.
class OipService final : public RpcService {
 public:
  static constexpr absl::string_view kName = "inference.GRPCInferenceService";

  // `ready`: whether the server takes requests; thread-safe. All outlive it.
  OipService(Store& store, ResidentModels& models, std::function<bool()> ready);

  // The methods below, and those that there are not: UNIMPLEMENTED, saying so.
  void AddTo(MethodTable& table) override;

  absl::Status ServerLive(const inference::ServerLiveRequest& request,
                          inference::ServerLiveResponse& response);
  absl::Status ServerReady(const inference::ServerReadyRequest& request,
                           inference::ServerReadyResponse& response);
  // A model that is loaded at its next use is ready.
  absl::Status ModelReady(const inference::ModelReadyRequest& request,
                          inference::ModelReadyResponse& response);
  absl::Status ServerMetadata(const inference::ServerMetadataRequest& request,
                              inference::ServerMetadataResponse& response);
  // Both load the model, for its network says how many features there are: the errors of
  // ResidentModels::Load besides, of which UNAVAILABLE says that it was unloaded.
  absl::Status ModelMetadata(const inference::ModelMetadataRequest& request,
                             inference::ModelMetadataResponse& response);
  absl::Status ModelConfig(const inference::ModelConfigRequest& request,
                           inference::ModelConfigResponse& response);
  // Of all models, of all versions of one, that were in memory since the server started; of one
  // version, whether it was or not.
  absl::Status ModelStatistics(const inference::ModelStatisticsRequest& request,
                               inference::ModelStatisticsResponse& response);
  // Every version of every model. INVALID_ARGUMENT: a repository's name.
  absl::Status RepositoryIndex(const inference::RepositoryIndexRequest& request,
                               inference::RepositoryIndexResponse& response);
  // INVALID_ARGUMENT: a repository's name, parameters that would change what is loaded.
  absl::Status RepositoryModelLoad(const inference::RepositoryModelLoadRequest& request,
                                   inference::RepositoryModelLoadResponse& response);
  absl::Status RepositoryModelUnload(const inference::RepositoryModelUnloadRequest& request,
                                     inference::RepositoryModelUnloadResponse& response);

 private:
  // Numbers of all versions, the oldest first.
  absl::StatusOr<std::vector<int64_t>> Versions(absl::string_view model);
  absl::StatusOr<std::vector<std::string>> ModelNames();
  absl::Status AddStatistics(absl::string_view model, inference::ModelStatisticsResponse& response);
  absl::Status AddToIndex(const std::string& model, bool only_ready,
                          inference::RepositoryIndexResponse& response);

  Store& store_;
  ResidentModels& models_;
  const std::function<bool()> ready_;
};

}  // namespace mlp

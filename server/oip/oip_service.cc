#include "server/oip/oip_service.h"

#include <algorithm>
#include <string>
#include <utility>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "server/build_info.h"
#include "server/names.h"
#include "server/oip/model_description.h"
#include "server/oip/model_naming.h"

namespace mlp {
namespace {

constexpr int kPageSize = 1000;

// Each works as clients know it.
constexpr const char* kExtensions[] = {"classification",      "model_repository",
                                       "model_configuration", "binary_tensor_data",
                                       "statistics",          "parameters"};

constexpr const char* kNotOffered[] = {"SystemSharedMemoryStatus",
                                       "SystemSharedMemoryRegister",
                                       "SystemSharedMemoryUnregister",
                                       "CudaSharedMemoryStatus",
                                       "CudaSharedMemoryRegister",
                                       "CudaSharedMemoryUnregister",
                                       "TraceSetting",
                                       "LogSettings"};

absl::StatusOr<std::string> Reference(absl::string_view name, absl::string_view version) {
  std::string reference;
  MLP_RETURN_IF_ERROR(MakeReference("name", name, "version", version, reference));
  return reference;
}

// What clients know of a condition: the state, and why where it is not READY.
std::pair<const char*, const char*> StateOf(ModelCondition condition) {
  switch (condition) {
    case ModelCondition::kReady:
    case ModelCondition::kStored:
      return {"READY", ""};
    case ModelCondition::kLoading:
      return {"LOADING", ""};
    case ModelCondition::kUnloaded:
      return {"UNAVAILABLE", "unloaded"};
    case ModelCondition::kDamaged:
      return {"UNAVAILABLE", "its last load failed"};
  }
  return {"UNKNOWN", ""};
}

absl::Status CheckRepository(absl::string_view name) {
  if (name.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "repository_name: expected nothing, for there is one repository, got ", Quoted(name)));
}

}  // namespace

OipService::OipService(Store& store, ResidentModels& models, std::function<bool()> ready)
    : store_(store), models_(models), ready_(std::move(ready)) {}

void OipService::AddTo(MethodTable& table) {
  table.AddUnary(kName, "ServerLive", this, &OipService::ServerLive);
  table.AddUnary(kName, "ServerReady", this, &OipService::ServerReady);
  table.AddUnary(kName, "ModelReady", this, &OipService::ModelReady);
  table.AddUnary(kName, "ServerMetadata", this, &OipService::ServerMetadata);
  table.AddUnary(kName, "ModelMetadata", this, &OipService::ModelMetadata);
  table.AddUnary(kName, "ModelConfig", this, &OipService::ModelConfig);
  table.AddUnary(kName, "ModelStatistics", this, &OipService::ModelStatistics);
  table.AddUnary(kName, "RepositoryIndex", this, &OipService::RepositoryIndex);
  table.AddUnary(kName, "RepositoryModelLoad", this, &OipService::RepositoryModelLoad);
  table.AddUnary(kName, "RepositoryModelUnload", this, &OipService::RepositoryModelUnload);
  for (const char* method : kNotOffered) {
    table.Add(kName, method, [method](RpcCall& /*call*/) {
      return absl::UnimplementedError(absl::StrCat(method, ": not offered by this server"));
    });
  }
}

absl::Status OipService::ServerLive(const inference::ServerLiveRequest& /*request*/,
                                    inference::ServerLiveResponse& response) {
  response.set_live(true);
  return absl::OkStatus();
}

absl::Status OipService::ServerReady(const inference::ServerReadyRequest& /*request*/,
                                     inference::ServerReadyResponse& response) {
  response.set_ready(ready_());
  return absl::OkStatus();
}

absl::Status OipService::ModelReady(const inference::ModelReadyRequest& request,
                                    inference::ModelReadyResponse& response) {
  MLP_ASSIGN_OR_RETURN(const std::string reference, Reference(request.name(), request.version()));
  MLP_ASSIGN_OR_RETURN(const ModelCondition condition, models_.Condition(reference));
  response.set_ready(ready_() && condition != ModelCondition::kUnloaded &&
                     condition != ModelCondition::kDamaged);
  return absl::OkStatus();
}

absl::Status OipService::ServerMetadata(const inference::ServerMetadataRequest& /*request*/,
                                        inference::ServerMetadataResponse& response) {
  response.set_name("mlpd");
  response.set_version(BuildVersion());
  for (const char* extension : kExtensions) response.add_extensions(extension);
  return absl::OkStatus();
}

absl::Status OipService::ModelMetadata(const inference::ModelMetadataRequest& request,
                                       inference::ModelMetadataResponse& response) {
  MLP_ASSIGN_OR_RETURN(const std::string reference, Reference(request.name(), request.version()));
  MLP_ASSIGN_OR_RETURN(const ResidentModels::Model model, models_.Load(reference));
  MLP_ASSIGN_OR_RETURN(const std::vector<int64_t> versions, Versions(request.name()));
  DescribeMetadata(*model, response);
  for (const int64_t version : versions) response.add_versions(absl::StrCat(version));
  return absl::OkStatus();
}

absl::Status OipService::ModelConfig(const inference::ModelConfigRequest& request,
                                     inference::ModelConfigResponse& response) {
  MLP_ASSIGN_OR_RETURN(const std::string reference, Reference(request.name(), request.version()));
  MLP_ASSIGN_OR_RETURN(const ResidentModels::Model model, models_.Load(reference));
  MLP_ASSIGN_OR_RETURN(const v1::Model stored, store_.GetModel(request.name()));
  DescribeConfig(*model, stored.serving(), *response.mutable_config());
  return absl::OkStatus();
}

absl::Status OipService::ModelStatistics(const inference::ModelStatisticsRequest& request,
                                         inference::ModelStatisticsResponse& response) {
  if (request.name().empty()) {
    if (!request.version().empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "version: expected nothing without a name, got ", Quoted(request.version())));
    }
    MLP_ASSIGN_OR_RETURN(const std::vector<std::string> names, ModelNames());
    for (const std::string& name : names) {
      const absl::Status added = AddStatistics(name, response);
      if (!added.ok() && !absl::IsNotFound(added)) return added;  // deleted meanwhile
    }
    return absl::OkStatus();
  }
  MLP_RETURN_IF_ERROR(CheckName("name", request.name()));
  MLP_ASSIGN_OR_RETURN(const int64_t version, ParseVersion("version", request.version()));
  if (version == 0) return AddStatistics(request.name(), response);

  MLP_RETURN_IF_ERROR(store_.GetVersion(request.name(), version).status());
  const auto statistics = models_.Statistics(request.name(), version);
  DescribeStatistics(request.name(), version,
                     statistics == nullptr ? ModelCounts() : statistics->Read(),
                     *response.add_model_stats());
  return absl::OkStatus();
}

absl::Status OipService::AddStatistics(absl::string_view model,
                                       inference::ModelStatisticsResponse& response) {
  MLP_ASSIGN_OR_RETURN(const std::vector<int64_t> versions, Versions(model));
  for (const int64_t version : versions) {
    const auto statistics = models_.Statistics(model, version);
    if (statistics == nullptr) continue;
    DescribeStatistics(model, version, statistics->Read(), *response.add_model_stats());
  }
  return absl::OkStatus();
}

absl::Status OipService::RepositoryIndex(const inference::RepositoryIndexRequest& request,
                                         inference::RepositoryIndexResponse& response) {
  MLP_RETURN_IF_ERROR(CheckRepository(request.repository_name()));
  MLP_ASSIGN_OR_RETURN(const std::vector<std::string> names, ModelNames());
  for (const std::string& name : names) {
    const absl::Status added = AddToIndex(name, request.ready(), response);
    if (!added.ok() && !absl::IsNotFound(added)) return added;  // deleted meanwhile
  }
  return absl::OkStatus();
}

absl::Status OipService::AddToIndex(const std::string& model, bool only_ready,
                                    inference::RepositoryIndexResponse& response) {
  MLP_ASSIGN_OR_RETURN(const std::vector<int64_t> versions, Versions(model));
  if (versions.empty() && !only_ready) {
    inference::RepositoryIndexResponse::ModelIndex& index = *response.add_models();
    index.set_name(model);
    index.set_state("UNAVAILABLE");
    index.set_reason("it has no versions");
  }
  for (const int64_t version : versions) {
    const absl::StatusOr<ModelCondition> condition =
        models_.Condition(absl::StrCat(model, "@", version));
    if (absl::IsNotFound(condition.status())) continue;  // deleted meanwhile
    if (!condition.ok()) return condition.status();
    const auto [state, reason] = StateOf(*condition);
    if (only_ready && absl::string_view(state) != "READY") continue;
    inference::RepositoryIndexResponse::ModelIndex& index = *response.add_models();
    index.set_name(model);
    index.set_version(absl::StrCat(version));
    index.set_state(state);
    index.set_reason(reason);
  }
  return absl::OkStatus();
}

absl::Status OipService::RepositoryModelLoad(const inference::RepositoryModelLoadRequest& request,
                                             inference::RepositoryModelLoadResponse& /*response*/) {
  MLP_RETURN_IF_ERROR(CheckRepository(request.repository_name()));
  MLP_RETURN_IF_ERROR(CheckName("model_name", request.model_name()));
  // "config", "file:...": to load something else than what is stored.
  if (!request.parameters().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("parameters: expected none, for what is stored is loaded, got ",
                     Quoted(request.parameters().begin()->first)));
  }
  return models_.Reload(request.model_name());
}

// The parameter unload_dependents, which clients always send, asks for nothing here: no model
// depends on another.
absl::Status OipService::RepositoryModelUnload(
    const inference::RepositoryModelUnloadRequest& request,
    inference::RepositoryModelUnloadResponse& /*response*/) {
  MLP_RETURN_IF_ERROR(CheckRepository(request.repository_name()));
  MLP_RETURN_IF_ERROR(CheckName("model_name", request.model_name()));
  return models_.Unload(request.model_name());
}

absl::StatusOr<std::vector<int64_t>> OipService::Versions(absl::string_view model) {
  std::vector<int64_t> versions;
  PageRequest request{.size = kPageSize, .after = ""};
  do {
    MLP_ASSIGN_OR_RETURN(Page<v1::ModelVersion> page, store_.ListVersions(model, request));
    for (const v1::ModelVersion& version : page.items) versions.push_back(version.version());
    request.after = std::move(page.next);
  } while (!request.after.empty());
  std::reverse(versions.begin(), versions.end());
  return versions;
}

absl::StatusOr<std::vector<std::string>> OipService::ModelNames() {
  std::vector<std::string> names;
  PageRequest request{.size = kPageSize, .after = ""};
  do {
    MLP_ASSIGN_OR_RETURN(Page<v1::Model> page, store_.ListModels(request));
    for (const v1::Model& model : page.items) names.push_back(model.name());
    request.after = std::move(page.next);
  } while (!request.after.empty());
  return names;
}

}  // namespace mlp

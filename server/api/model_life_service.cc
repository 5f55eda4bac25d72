#include "server/api/model_life_service.h"

#include <optional>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "server/inference/retention.h"
#include "server/names.h"
#include "server/telemetry/log.h"

namespace mlp {
namespace {

constexpr char kService[] = "mlp.v1.ModelService";
constexpr int64_t kMaxKeptVersions = 1'000'000;
constexpr size_t kMaxNote = 4096;
constexpr int kMaxTags = 64;
constexpr size_t kMaxTagValue = 256;

absl::Status Refuse(absl::string_view field, const std::string& expected, int64_t got) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": expected ", expected, ", got ", got));
}

absl::Status CheckVersion(int64_t version) {
  return version >= 1 ? absl::OkStatus() : Refuse("version", "1 or more", version);
}

class ModelLifeService final : public RpcService {
 public:
  ModelLifeService(Store& store, ResidentModels& models, HealthState& health)
      : store_(store), models_(models), health_(health) {}

  void AddTo(MethodTable& table) override {
    using Self = ModelLifeService;
    table.AddUnary(kService, "SetModelAlias", this, &Self::SetModelAlias);
    table.AddUnary(kService, "DeleteModelAlias", this, &Self::DeleteModelAlias);
    table.AddUnary(kService, "SetRetention", this, &Self::SetRetention);
    table.AddUnary(kService, "AnnotateModelVersion", this, &Self::AnnotateModelVersion);
  }

 private:
  absl::Status SetModelAlias(const v1::SetModelAliasRequest& request, v1::Model& response) {
    MLP_RETURN_IF_ERROR(CheckName("model", request.model()));
    MLP_RETURN_IF_ERROR(CheckAlias("alias", request.alias()));
    MLP_RETURN_IF_ERROR(CheckVersion(request.version()));
    std::optional<int64_t> expected;
    if (request.has_expected_version()) {
      if (request.expected_version() < 0) {
        return Refuse("expected_version", "0 or more", request.expected_version());
      }
      expected = request.expected_version();
    }
    MLP_ASSIGN_OR_RETURN(
        response, store_.SetAlias(request.model(), request.alias(), request.version(), expected));
    AliasesChanged(request.model());
    return absl::OkStatus();
  }

  absl::Status DeleteModelAlias(const v1::DeleteModelAliasRequest& request, v1::Model& response) {
    MLP_RETURN_IF_ERROR(CheckName("model", request.model()));
    MLP_RETURN_IF_ERROR(CheckAlias("alias", request.alias()));
    MLP_ASSIGN_OR_RETURN(response, store_.DeleteAlias(request.model(), request.alias()));
    AliasesChanged(request.model());
    return absl::OkStatus();
  }

  absl::Status SetRetention(const v1::SetRetentionRequest& request, v1::Model& response) {
    MLP_RETURN_IF_ERROR(CheckName("model", request.model()));
    const int64_t kept = request.retention().keep_versions();
    if (kept < 0 || kept > kMaxKeptVersions) {
      return Refuse("retention.keep_versions", absl::StrCat("0 to ", kMaxKeptVersions), kept);
    }
    MLP_ASSIGN_OR_RETURN(response, store_.SetRetention(request.model(), request.retention()));
    MLP_RETURN_IF_ERROR(DeleteSurplusVersions(request.model(), store_, models_));
    MLP_ASSIGN_OR_RETURN(response, store_.GetModel(request.model()));
    return absl::OkStatus();
  }

  absl::Status AnnotateModelVersion(const v1::AnnotateModelVersionRequest& request,
                                    v1::ModelVersion& response) {
    MLP_RETURN_IF_ERROR(CheckName("model", request.model()));
    MLP_RETURN_IF_ERROR(CheckVersion(request.version()));
    MLP_RETURN_IF_ERROR(CheckNoteAndTags(request.note(), request.tags()));
    v1::ModelVersion version;
    version.set_model(request.model());
    version.set_version(request.version());
    version.set_note(request.note());
    *version.mutable_tags() = request.tags();
    MLP_ASSIGN_OR_RETURN(response, store_.AnnotateVersion(version));
    return absl::OkStatus();
  }

  // On return requests are answered by what the aliases are set to now.
  void AliasesChanged(const std::string& model) {
    models_.Refresh(model);
    health_.Changed();
  }

  Store& store_;
  ResidentModels& models_;
  HealthState& health_;
};

}  // namespace

absl::Status CheckNoteAndTags(const std::string& note,
                              const google::protobuf::Map<std::string, std::string>& tags) {
  if (note.size() > kMaxNote) {
    return Refuse("note", absl::StrCat("at most ", kMaxNote, " bytes"),
                  static_cast<int64_t>(note.size()));
  }
  if (tags.size() > kMaxTags) {
    return Refuse("tags", absl::StrCat("at most ", kMaxTags), static_cast<int64_t>(tags.size()));
  }
  for (const auto& [key, value] : tags) {
    MLP_RETURN_IF_ERROR(CheckName("tags", key));
    if (value.size() <= kMaxTagValue) continue;
    return Refuse(absl::StrCat("tags.", key), absl::StrCat("at most ", kMaxTagValue, " bytes"),
                  static_cast<int64_t>(value.size()));
  }
  return absl::OkStatus();
}

std::unique_ptr<RpcService> MakeModelLifeService(Store& store, ResidentModels& models,
                                                 HealthState& health) {
  return std::make_unique<ModelLifeService>(store, models, health);
}

}  // namespace mlp

#include "server/inference/retention.h"

#include <string>
#include <vector>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"

namespace mlp {
namespace {

constexpr int kPageSize = 1000;

// All but the newest so many.
absl::StatusOr<std::vector<v1::ModelVersion>> OlderVersions(const std::string& model,
                                                            int64_t newest, Store& store) {
  std::vector<v1::ModelVersion> older;
  PageRequest request = {.size = kPageSize, .after = ""};
  int64_t seen = 0;
  do {
    MLP_ASSIGN_OR_RETURN(Page<v1::ModelVersion> page, store.ListVersions(model, request));
    for (v1::ModelVersion& version : page.items) {
      if (++seen > newest) older.push_back(std::move(version));
    }
    request.after = page.next;
  } while (!request.after.empty());
  return older;
}

bool IsInMemory(const v1::ModelVersion& version, ResidentModels& models) {
  const absl::StatusOr<ModelCondition> condition =
      models.Condition(absl::StrCat(version.model(), "@", version.version()));
  return condition.ok() &&
         (*condition == ModelCondition::kReady || *condition == ModelCondition::kLoading);
}

}  // namespace

absl::Status DeleteSurplusVersions(absl::string_view model, Store& store, ResidentModels& models) {
  const std::string name(model);
  const absl::StatusOr<v1::Model> stored = store.GetModel(name);
  if (absl::IsNotFound(stored.status())) return absl::OkStatus();
  MLP_RETURN_IF_ERROR(stored.status());
  const int64_t kept = stored->retention().keep_versions();
  if (kept == 0 || stored->version_count() <= kept) return absl::OkStatus();
  MLP_ASSIGN_OR_RETURN(const std::vector<v1::ModelVersion> older, OlderVersions(name, kept, store));
  bool deleted = false;
  for (const v1::ModelVersion& version : older) {
    if (version.aliases_size() > 0 || IsInMemory(version, models)) continue;
    const absl::Status status = store.DeleteVersion(name, version.version());
    deleted = deleted || status.ok();
    // An alias that was set to it meanwhile, a job that starts from it, another call like this one.
    if (absl::IsFailedPrecondition(status) || absl::IsNotFound(status)) continue;
    MLP_RETURN_IF_ERROR(status);
  }
  if (deleted) models.Refresh(name);
  return absl::OkStatus();
}

}  // namespace mlp

#include "server/jobs/initial_model.h"

#include <utility>

#include <absl/strings/str_cat.h>

#include "core/artifact/artifact.h"
#include "core/base/status_macros.h"
#include "server/names.h"

namespace mlp {
namespace {

absl::Status InField(const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat("initial_model: ", status.message()));
}

}  // namespace

absl::StatusOr<InitialModel> ReadInitialModel(absl::string_view reference, Store& store) {
  MLP_ASSIGN_OR_RETURN(const ModelReference parsed,
                       ParseModelReference("initial_model", reference));
  if (!parsed.alias.empty()) {
    return InField(
        absl::NotFoundError(absl::StrCat("model ", parsed.model, ": no alias ", parsed.alias)));
  }
  const absl::StatusOr<v1::ModelVersion> version = store.GetVersion(parsed.model, parsed.version);
  if (!version.ok()) return InField(version.status());
  const absl::StatusOr<std::string> bytes = store.ReadArtifact(parsed.model, version->version());
  if (!bytes.ok()) return InField(bytes.status());
  absl::StatusOr<Artifact> artifact = ReadArtifact(*bytes);
  if (!artifact.ok()) return InField(artifact.status());
  return InitialModel{absl::StrCat(parsed.model, "@", version->version()), version->version(),
                      WarmStart{std::move(artifact->network), std::move(artifact->scaler)}};
}

}  // namespace mlp

#include "server/inference/servable_model.h"

#include <utility>

#include "core/base/status_macros.h"

namespace mlp {
namespace {

int64_t MemoryOf(const Artifact& artifact) {
  int64_t bytes = static_cast<int64_t>(sizeof(ServableModel)) +
                  artifact.network.parameters.size() * static_cast<int64_t>(sizeof(float)) +
                  artifact.scaler.features() * static_cast<int64_t>(2 * sizeof(float)) +
                  static_cast<int64_t>(artifact.provenance_json.capacity());
  for (const std::string& name : artifact.schema.class_names) {
    bytes += static_cast<int64_t>(sizeof(name) + name.capacity());
  }
  return bytes;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const ServableModel>> ServableModel::Load(
    absl::string_view name, int64_t version, absl::string_view artifact_bytes, ServingState state) {
  MLP_ASSIGN_OR_RETURN(Artifact artifact, ReadArtifact(artifact_bytes));
  return std::make_shared<const ServableModel>(std::string(name), version, std::move(artifact),
                                               std::move(state));
}

ServableModel::ServableModel(std::string name, int64_t version, Artifact artifact,
                             ServingState state)
    : name_(std::move(name)),
      version_(version),
      artifact_(std::move(artifact)),
      state_(std::move(state)),
      propagation_(artifact_.network.topology, artifact_.network.parameters.data()),
      bytes_(MemoryOf(artifact_)) {}

}  // namespace mlp

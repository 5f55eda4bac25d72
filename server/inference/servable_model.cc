#include "server/inference/servable_model.h"

#include <algorithm>
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
    absl::string_view name, int64_t version, absl::string_view artifact_bytes) {
  MLP_ASSIGN_OR_RETURN(Artifact artifact, ReadArtifact(artifact_bytes));
  return std::make_shared<const ServableModel>(std::string(name), version, std::move(artifact));
}

ServableModel::ServableModel(std::string name, int64_t version, Artifact artifact)
    : name_(std::move(name)),
      version_(version),
      artifact_(std::move(artifact)),
      bytes_(MemoryOf(artifact_)) {}

std::unique_ptr<Propagation<float>> ServableModel::TakeScratch() const {
  {
    absl::MutexLock lock(&mutex_);
    if (!scratch_.empty()) {
      std::unique_ptr<Propagation<float>> scratch = std::move(scratch_.back());
      scratch_.pop_back();
      return scratch;
    }
  }
  return std::make_unique<Propagation<float>>(artifact_.network.topology, kBlockRows);
}

void ServableModel::Forward(const float* inputs, int64_t rows, float* outputs) const {
  std::unique_ptr<Propagation<float>> scratch = TakeScratch();
  scratch->Forward(artifact_.network.parameters.data(), inputs, static_cast<int>(rows));
  const ConstMatrixMap<float> block_outputs = scratch->outputs();
  std::copy_n(block_outputs.data(), block_outputs.size(), outputs);
  absl::MutexLock lock(&mutex_);
  scratch_.push_back(std::move(scratch));
}

}  // namespace mlp

#include "server/jobs/trained_version.h"

#include <utility>

#include "core/artifact/artifact.h"
#include "core/base/status_macros.h"
#include "server/jobs/provenance.h"

namespace mlp {

absl::StatusOr<std::string> MakeArtifact(const v1::TrainingJob& job, CostKind cost,
                                         const DatasetSchema& schema, TrainingOutcome& outcome) {
  Artifact artifact;
  MLP_ASSIGN_OR_RETURN(artifact.provenance_json, ProvenanceJson(job, outcome));
  artifact.network = std::move(outcome.network);
  artifact.scaler = outcome.scaler;
  artifact.schema = schema;
  artifact.cost = cost;
  return WriteArtifact(artifact);
}

NewVersion MakeVersion(const v1::TrainingJob& job, const v1::Dataset& dataset,
                       std::string artifact) {
  NewVersion made;
  made.artifact = std::move(artifact);
  made.aliases.assign(job.publish().aliases().begin(), job.publish().aliases().end());
  v1::ModelVersion& version = made.version;
  version.set_model(job.model());
  version.set_job_id(job.id());
  *version.mutable_config() = job.config();
  version.set_dataset(job.dataset());
  version.set_dataset_sha256(job.dataset_sha256());
  version.set_parameters(job.result().parameters());
  *version.mutable_class_names() = dataset.class_names();
  if (dataset.has_image()) *version.mutable_image() = dataset.image();
  version.set_feature_type(dataset.feature_type());
  *version.mutable_training() = job.result();
  return made;
}

}  // namespace mlp

// What a training leaves to predict with: TrainingOutcome -> artifact -> version to publish.
#pragma once

#include <string>

#include <absl/status/statusor.h>

#include "core/data/dataset.h"
#include "core/nn/cost.h"
#include "core/train/trainer.h"
#include "mlp/v1/dataset.pb.h"
#include "mlp/v1/training.pb.h"
#include "server/store/store.h"

namespace mlp {

// The bytes of an artifact with the network of `outcome`, which `job` trained with this cost on
// data of this schema. Takes the network. ProvenanceJson's errors.
absl::StatusOr<std::string> MakeArtifact(const v1::TrainingJob& job, CostKind cost,
                                         const DatasetSchema& schema, TrainingOutcome& outcome);

// The version of job.model to publish; `dataset` is the record of what it was trained on.
NewVersion MakeVersion(const v1::TrainingJob& job, const v1::Dataset& dataset,
                       std::string artifact);

}  // namespace mlp

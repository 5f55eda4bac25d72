// The header section of a model file: what a network is, in JSON that a person can read.
#pragma once

#include <string>

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include "core/data/dataset.h"
#include "core/nn/cost.h"
#include "core/nn/topology.h"

namespace mlp {

struct ArtifactHeader {
  Topology topology;
  CostKind cost = CostKind::kSigmoidCrossEntropy;
  DatasetSchema schema;
};

// JSON text, the same for the same header. Requires a valid topology and schema.
std::string WriteArtifactHeader(const ArtifactHeader& header);

// DATA_LOSS naming the member that is missing, of the wrong type or out of range, and where
// topology and schema are not valid or do not fit each other. Members that it does not know are
// ignored.
absl::StatusOr<ArtifactHeader> ReadArtifactHeader(absl::string_view json);

}  // namespace mlp

// The model file: everything that prediction and evaluation need of a trained network, in one
// immutable, checksummed string of bytes. Written when a version is published, read when it becomes
// resident. The format is in docs/artifact-format.md.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include "core/data/dataset.h"
#include "core/data/feature_scaler.h"
#include "core/nn/cost.h"
#include "core/nn/network.h"

namespace mlp {

struct Artifact {
  NetworkF network;
  FeatureScaler scaler = FeatureScaler::Identity(1);
  DatasetSchema schema;  // feature type, class names and image shape of the training data
  CostKind cost = CostKind::kSigmoidCrossEntropy;
  // Where it came from, as a JSON object: training configuration, dataset hash, split, metrics,
  // seed, build, CPU kernel. Carried, not interpreted.
  std::string provenance_json = "{}";
};

// The bytes of `artifact`. Requires a valid topology with matching parameters, scaler and schema.
std::string WriteArtifact(const Artifact& artifact);

// Whether `bytes` begin as an artifact does, of whatever format version.
bool IsArtifact(absl::string_view bytes);

// DATA_LOSS where any bit differs from what was written or bytes are missing or added (says which
// section), and where the content is not one that prediction could use, such as weights that are
// not finite; FAILED_PRECONDITION for a format version newer than this build reads, or an unknown
// kind of section in an undamaged file. Never allocates more than a small multiple of bytes.size().
absl::StatusOr<Artifact> ReadArtifact(absl::string_view bytes);

}  // namespace mlp

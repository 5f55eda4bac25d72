// A model version in memory, ready to answer: weights, scaling, class names. Made from an artifact
// by ResidentModels, shared by all requests that it answers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include "core/artifact/artifact.h"
#include "core/nn/forward_propagation.h"
#include "server/inference/model_statistics.h"
#include "server/inference/serving_limits.h"

namespace mlp {

// What stays while a model version leaves memory and comes back.
struct ServingState {
  std::shared_ptr<const ServingLimits> limits = std::make_shared<ServingLimits>();
  std::shared_ptr<ModelStatistics> statistics = std::make_shared<ModelStatistics>();
};

// Immutable. Thread-safe.
class ServableModel {
 public:
  // ReadArtifact's errors.
  static absl::StatusOr<std::shared_ptr<const ServableModel>> Load(absl::string_view name,
                                                                   int64_t version,
                                                                   absl::string_view artifact,
                                                                   ServingState state);
  ServableModel(std::string name, int64_t version, Artifact artifact, ServingState state = {});

  const std::string& name() const { return name_; }
  int64_t version() const { return version_; }
  const Artifact& artifact() const { return artifact_; }
  int features() const { return artifact_.network.topology.inputs; }    // D
  int classes() const { return artifact_.network.topology.outputs(); }  // K
  const FeatureScaler& scaler() const { return artifact_.scaler; }
  const std::vector<std::string>& class_names() const { return artifact_.schema.class_names; }

  // Of all versions of the model.
  const ServingLimits& limits() const { return *state_.limits; }
  // Of this version, whether it stayed in memory all the time or not.
  ModelStatistics& statistics() const { return *state_.statistics; }

  // Its block_rows() are the rows to gather at once.
  const ForwardPropagation& propagation() const { return propagation_; }

  // Memory held.
  int64_t bytes() const { return bytes_; }

 private:
  const std::string name_;
  const int64_t version_;
  const Artifact artifact_;
  const ServingState state_;
  const ForwardPropagation propagation_;
  const int64_t bytes_;
};

}  // namespace mlp

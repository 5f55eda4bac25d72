// A model version in memory, ready to answer: weights, scaling, class names. Made from an artifact
// by ResidentModels, shared by all requests that it answers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <absl/base/thread_annotations.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/synchronization/mutex.h>
#include <absl/types/span.h>

#include "core/artifact/artifact.h"
#include "core/nn/propagation.h"

namespace mlp {

// Immutable but for its scratch memory. Thread-safe.
class ServableModel {
 public:
  // Rows propagated at once, at most.
  static constexpr int64_t kBlockRows = 256;

  // ReadArtifact's errors.
  static absl::StatusOr<std::shared_ptr<const ServableModel>> Load(absl::string_view name,
                                                                   int64_t version,
                                                                   absl::string_view artifact);
  ServableModel(std::string name, int64_t version, Artifact artifact);

  const std::string& name() const { return name_; }
  int64_t version() const { return version_; }
  const Artifact& artifact() const { return artifact_; }
  int features() const { return artifact_.network.topology.inputs; }    // D
  int classes() const { return artifact_.network.topology.outputs(); }  // K
  const FeatureScaler& scaler() const { return artifact_.scaler; }
  const std::vector<std::string>& class_names() const { return artifact_.schema.class_names; }

  // Forward propagation of scaled `inputs` [rows x D] into `outputs` [rows x K], both row-major.
  // Requires 1 <= rows <= kBlockRows.
  void Forward(const float* inputs, int64_t rows, float* outputs) const;

  // Memory held, scratch memory left out.
  int64_t bytes() const { return bytes_; }

 private:
  std::unique_ptr<Propagation<float>> TakeScratch() const;

  const std::string name_;
  const int64_t version_;
  const Artifact artifact_;
  const int64_t bytes_;

  mutable absl::Mutex mutex_;
  // As many as threads ever propagated at the same time.
  mutable std::vector<std::unique_ptr<Propagation<float>>> scratch_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mlp

// The model versions in memory: loaded from the store on first use, let go by least recent use when
// they outgrow the budget. Predict and EvaluateModel take their models here.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <utility>

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>

#include "server/inference/servable_model.h"
#include "server/names.h"
#include "server/store/store.h"

namespace mlp {

struct ResidencyOptions {
  // Weights kept in memory at most, in bytes. A model that is in use, or larger than this alone,
  // stays as long as it is used.
  int64_t budget_bytes = int64_t{2} << 30;
};

// Thread-safe. The store outlives it. No lock is held while the store is read.
class ResidentModels {
 public:
  ResidentModels(Store& store, const ResidencyOptions& options);

  // The version that `reference` names now. NOT_FOUND says whether model, version or alias is
  // missing; DATA_LOSS for a damaged artifact.
  absl::StatusOr<std::shared_ptr<const ServableModel>> Get(const ModelReference& reference);

  // A version of `model` was published, or one or all of them deleted: the next Get asks the store
  // which is the newest. Versions that are gone from the store are dropped.
  void Refresh(absl::string_view model);

  int64_t models() const;
  int64_t bytes() const;

 private:
  using Key = std::pair<std::string, int64_t>;
  struct Resident {
    std::shared_ptr<const ServableModel> model;
    std::list<Key>::iterator position;
  };

  absl::StatusOr<int64_t> NewestVersion(const std::string& model);
  std::shared_ptr<const ServableModel> Find(const Key& key);
  std::shared_ptr<const ServableModel> Insert(const Key& key,
                                              std::shared_ptr<const ServableModel> model,
                                              int64_t generation);
  void Drop(const Key& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Store& store_;
  const ResidencyOptions options_;

  mutable absl::Mutex mutex_;
  absl::flat_hash_map<Key, Resident> resident_ ABSL_GUARDED_BY(mutex_);
  std::list<Key> recent_ ABSL_GUARDED_BY(mutex_);  // most recently used first
  int64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<std::string, int64_t> newest_ ABSL_GUARDED_BY(mutex_);
  // Counts Refresh calls, so that what was read from the store before one is not kept after it.
  int64_t generation_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace mlp

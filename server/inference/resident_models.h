// The model versions in memory: loaded from the store on first use or ahead of it, kept within a
// memory budget by least recent use. Predict and EvaluateModel take their models here.
//
// The hot path asks Find, which never waits; whoever may wait (a worker thread) asks Load.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>

#include "server/inference/resident_set.h"
#include "server/inference/servable_model.h"
#include "server/inference/shared_load.h"
#include "server/names.h"
#include "server/store/store.h"

namespace mlp {

struct ResidencyOptions {
  // Memory of all models in it at most, in bytes. What a load under way takes comes on top of it
  // until the model is in. Until SetBudget.
  int64_t budget_bytes = int64_t{2} << 30;
  // How long a load waits for models in use to be let go, which is mostly a matter of a batch.
  absl::Duration max_wait_for_room = absl::Seconds(1);
  // Lets so much time pass.
  std::function<void(absl::Duration)> pause = absl::SleepFor;
};

// What a caller can expect of a model version now.
enum class ModelCondition {
  kReady,     // in memory
  kStored,    // loaded at its next use
  kLoading,   // on its way in
  kUnloaded,  // taken out by Unload: UNAVAILABLE until Reload
  kDamaged,   // its last load failed; the next use tries again
};

// NAME and NAME@ALIAS are pointers: the store says which version they name (Store::GetVersion,
// GetAliasedVersion). Where that one cannot be loaded, the version that answered under the pointer
// before goes on doing so as long as it is in memory: a damaged artifact (DATA_LOSS, condition
// kDamaged) or one larger than the budget is tried again at the next Refresh or Reload, one that
// found no room or a busy store at the next Load. Under NAME@VERSION a version that cannot be
// loaded is an error, always.
//
// Whatever is read from the store carries the model's generation at that time: Refresh, Unload and
// Reload begin a new one, and a load that ends in another generation than it began in starts again.
// Loads that began before are not joined any more, so that no caller gets from after a Refresh what
// was read before it.
//
// Thread-safe. The store outlives it. No lock is held while the store is read.
class ResidentModels {
 public:
  using Model = std::shared_ptr<const ServableModel>;

  ResidentModels(Store& store, const ResidencyOptions& options);

  // The version that `reference` (NAME, NAME@VERSION, NAME@ALIAS) names now, where that is known
  // and in memory; null where it takes a Load to know. Never waits. Counts as a use.
  Model Find(absl::string_view reference);

  // The same, loading it first where it is not in memory; many callers at once share one load.
  // INVALID_ARGUMENT: no reference. NOT_FOUND says whether model, version or alias is missing;
  // DATA_LOSS: a damaged artifact; UNAVAILABLE: unloaded; RESOURCE_EXHAUSTED: larger than the
  // budget, or (with a retry hint) than what the models that are in use leave of it even after
  // max_wait_for_room.
  absl::StatusOr<Model> Load(absl::string_view reference);

  // As Load, but lets no other model go for it and does not wait for one: RESOURCE_EXHAUSTED where
  // there is no room.
  absl::StatusOr<Model> LoadIfRoom(absl::string_view reference);

  // Versions of `model` were published or deleted, or aliases set: finds out what its pointers
  // name, and loads that where they named something in memory before. Until it is there the version
  // before goes on answering, unless it was deleted. A version that is gone from the store is no
  // longer found on return; a model that is gone takes its limits and statistics with it.
  void Refresh(absl::string_view model);

  // Takes the model out of memory and refuses its use until Reload, or until it is deleted; a
  // restart forgets it. Versions published meanwhile stay out as well. INVALID_ARGUMENT: no name.
  // NOT_FOUND.
  absl::Status Unload(absl::string_view model);
  // Allows its use again and loads its newest version. Load's errors.
  absl::Status Reload(absl::string_view model);

  // INVALID_ARGUMENT, NOT_FOUND as by Load. Of NAME: kReady while any version answers for it.
  absl::StatusOr<ModelCondition> Condition(absl::string_view reference);

  // Settings as stored with the model; applied to what is in memory and what will be.
  void Apply(absl::string_view model, const v1::ServingSettings& settings);

  // Those of a version that was in memory since the server started; otherwise null.
  std::shared_ptr<const ModelStatistics> Statistics(absl::string_view model, int64_t version) const;

  // Memory of all models from now on. What is over it goes, the least recently used first, models
  // that are in use last and when they are not any more.
  void SetBudget(int64_t bytes);

  int64_t models() const;
  // Memory of the models in it, and of those that were taken out while in use, until they are not.
  int64_t bytes() const;

 private:
  struct Version {
    std::shared_ptr<ModelStatistics> statistics;  // null where it never was in memory
    bool damaged = false;
  };
  // A model that was asked for. Forgotten when it turns out not to exist.
  struct Name {
    int64_t generation = 0;
    bool unloaded = false;
    std::shared_ptr<ServingLimits> limits = std::make_shared<ServingLimits>();
    bool limits_known = false;  // `limits` is what the store has
    // Of pointers, by alias (empty: the name's), the version that answers where the one that they
    // name does not; 0: none. Of all that were ever loaded.
    std::map<std::string, int64_t> pointers;
    std::map<int64_t, Version> versions;
    // Under way, by what stands behind the '@'.
    std::map<std::string, std::shared_ptr<SharedLoad>> loads;
  };

  // What is read from the store is read again where a new generation began meanwhile: so often.
  static constexpr int kTries = 8;

  // resident_models_loading.cc
  absl::StatusOr<Model> LoadAs(absl::string_view reference, bool may_evict);
  // Joins the load of what `reference` names that is under way, or is the one who loads.
  absl::StatusOr<Model> Share(const ModelReference& reference, bool may_evict);
  absl::StatusOr<Model> LoadPointed(const ModelReference& pointer, bool may_evict);
  absl::StatusOr<Model> LoadVersion(const std::string& name, int64_t version, bool may_evict);
  // Fills in `settings` where it is not null.
  absl::StatusOr<Model> ReadModel(const std::string& name, int64_t version, ServingState state,
                                  v1::ServingSettings* settings);

  // A version in memory that is not in the store any more goes. Returns false where the model
  // itself is not there.
  bool DropLost(const std::string& name, const absl::Status& model,
                const std::map<int64_t, absl::Status>& lost, Name& known,
                std::vector<Model>& released) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The pointers that name something else now than what they are set to, and named something in
  // memory before; those that name nothing any more are not set any more.
  std::vector<ModelReference> MovedPointers(const v1::Model& stored, Name& known)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static absl::Status Changing(absl::string_view name);
  Name& NameFor(const std::string& name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Null where it is not of this generation.
  Name* NameOf(const std::string& name, int64_t generation) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SetLimits(const v1::ServingSettings& settings, Name& known)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void BeginGeneration(Name& known) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ForgetIfUnknown(const std::string& name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Where what it names could not be loaded: see the class.
  void KeepPrevious(const ModelReference& pointer, const absl::Status& failure, Name& known)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Takes a model that was read into the set, waiting for room if `may_evict`. ResidentSet's error;
  // Changing where `generation` of `name` ended meanwhile. Lets go of the lock while it waits.
  absl::Status Insert(const std::string& name, int64_t generation, const Model& model,
                      bool may_evict, std::vector<Model>& released)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Store& store_;
  const ResidencyOptions options_;

  mutable absl::Mutex mutex_;
  ResidentSet set_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, Name> names_ ABSL_GUARDED_BY(mutex_);
  int64_t last_generation_ ABSL_GUARDED_BY(mutex_) = 0;  // of all names, so that none comes again
};

}  // namespace mlp

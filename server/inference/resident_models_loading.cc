// How ResidentModels loads.
#include <new>
#include <utility>

#include <absl/cleanup/cleanup.h>
#include <absl/strings/str_cat.h>
#include <absl/time/time.h>

#include "core/base/status_macros.h"
#include "server/inference/resident_models.h"
#include "server/retry_delay.h"
#include "server/store/find_version.h"

namespace mlp {
namespace {

// An artifact may be larger than its model in memory by so much: its sections and header.
constexpr int64_t kArtifactOverheadBytes = 64 << 10;

// Where the machine's memory is used up.
constexpr absl::Duration kRetryDelay = absl::Seconds(1);

// Between two looks for room: less than most batches take that are worth waiting for.
constexpr absl::Duration kPause = absl::Milliseconds(2);

absl::Status Unloaded(absl::string_view name) {
  return absl::UnavailableError(absl::StrCat("model ", name, ": unloaded; load it to use it"));
}

absl::Status NotEnoughMemory(absl::string_view name) {
  return absl::ResourceExhaustedError(
      absl::StrCat("model ", name, ": not enough memory to load it"));
}

// Of the artifact itself: it will not get better.
bool IsDamage(const absl::Status& status) {
  return absl::IsDataLoss(status) || absl::IsFailedPrecondition(status);
}

// The same will be said of it next time.
bool IsLasting(const absl::Status& failure) {
  return IsDamage(failure) ||
         (absl::IsResourceExhausted(failure) && RetryDelay(failure) == absl::ZeroDuration());
}

}  // namespace

absl::StatusOr<ResidentModels::Model> ResidentModels::Load(absl::string_view reference) {
  return LoadAs(reference, /*may_evict=*/true);
}

absl::StatusOr<ResidentModels::Model> ResidentModels::LoadIfRoom(absl::string_view reference) {
  return LoadAs(reference, /*may_evict=*/false);
}

absl::StatusOr<ResidentModels::Model> ResidentModels::LoadAs(absl::string_view reference,
                                                             bool may_evict) {
  if (Model model = Find(reference)) return model;
  MLP_ASSIGN_OR_RETURN(const ModelReference parsed, ParseModelReference("model", reference));
  absl::StatusOr<Model> loaded = Share(parsed, may_evict);
  if (loaded.ok() || absl::IsNotFound(loaded.status()) || parsed.version != 0) return loaded;

  absl::MutexLock lock(&mutex_);
  const auto known = names_.find(parsed.model);
  if (known == names_.end()) return loaded;
  const auto pointer = known->second.pointers.find(parsed.alias);
  if (pointer == known->second.pointers.end() || pointer->second == 0) return loaded;
  if (Model previous = set_.Find(absl::StrCat(parsed.model, "@", pointer->second))) {
    return previous;
  }
  return loaded;
}

absl::StatusOr<ResidentModels::Model> ResidentModels::Share(const ModelReference& reference,
                                                            bool may_evict) {
  const std::string& name = reference.model;
  const std::string selector = SelectorOf(reference);
  std::shared_ptr<SharedLoad> load;
  bool is_ours = false;
  {
    absl::MutexLock lock(&mutex_);
    std::shared_ptr<SharedLoad>& under_way = NameFor(name).loads[selector];
    if (under_way == nullptr) {
      under_way = std::make_shared<SharedLoad>();
      is_ours = true;
    }
    load = under_way;
  }
  if (!is_ours) return load->Wait();

  SharedLoad::Result loaded = NotEnoughMemory(name);
  // Also where an exception ends this: the others must not wait for ever.
  absl::Cleanup finish = [&] {
    {
      absl::MutexLock lock(&mutex_);
      if (const auto known = names_.find(name); known != names_.end()) {
        const auto entry = known->second.loads.find(selector);
        if (entry != known->second.loads.end() && entry->second == load) {
          known->second.loads.erase(entry);
        }
      }
      ForgetIfUnknown(name);
    }
    load->Finish(loaded);
  };
  loaded = reference.version == 0 ? LoadPointed(reference, may_evict)
                                  : LoadVersion(name, reference.version, may_evict);
  std::move(finish).Invoke();
  return loaded;
}

absl::StatusOr<ResidentModels::Model> ResidentModels::LoadPointed(const ModelReference& pointer,
                                                                  bool may_evict) {
  const std::string& name = pointer.model;
  for (int tries = 0; tries < kTries; ++tries) {
    int64_t generation = 0;
    {
      absl::MutexLock lock(&mutex_);
      const Name& known = NameFor(name);
      if (known.unloaded) return Unloaded(name);
      generation = known.generation;
    }
    const absl::StatusOr<v1::ModelVersion> named = FindVersion(pointer, store_);
    const absl::StatusOr<Model> loaded =
        named.ok() ? Share({.model = name, .version = named->version(), .alias = ""}, may_evict)
                   : named.status();

    absl::MutexLock lock(&mutex_);
    Name* known = NameOf(name, generation);
    if (known == nullptr) continue;
    if (!loaded.ok()) {
      KeepPrevious(pointer, loaded.status(), *known);
    } else if (set_.Contains(name, named->version())) {
      set_.Point(PointerName(name, pointer.alias), name, named->version());
      known->pointers[pointer.alias] = 0;
    }
    return loaded;
  }
  return Changing(name);
}

absl::StatusOr<ResidentModels::Model> ResidentModels::LoadVersion(const std::string& name,
                                                                  int64_t version, bool may_evict) {
  for (int tries = 0; tries < kTries; ++tries) {
    int64_t generation = 0;
    bool limits_known = false;
    ServingState state;
    {
      absl::MutexLock lock(&mutex_);
      const Name& known = NameFor(name);
      if (known.unloaded) return Unloaded(name);
      if (Model model = set_.Find(absl::StrCat(name, "@", version))) return model;
      generation = known.generation;
      limits_known = known.limits_known;
      state.limits = known.limits;
      const auto before = known.versions.find(version);
      if (before != known.versions.end() && before->second.statistics != nullptr) {
        state.statistics = before->second.statistics;
      }
    }
    v1::ServingSettings settings;
    absl::StatusOr<Model> read =
        ReadModel(name, version, state, limits_known ? nullptr : &settings);

    std::vector<Model> released;
    absl::MutexLock lock(&mutex_);
    Name* known = NameOf(name, generation);
    if (known == nullptr) continue;
    if (!read.ok()) {
      if (IsDamage(read.status())) known->versions[version].damaged = true;
      return read;
    }
    const absl::Status inserted = Insert(name, generation, *read, may_evict, released);
    known = NameOf(name, generation);
    if (known == nullptr) continue;
    if (!inserted.ok()) return inserted;
    known->versions[version] = {state.statistics, /*damaged=*/false};
    if (!known->limits_known) SetLimits(settings, *known);  // unless Apply did, with newer ones
    return read;
  }
  return Changing(name);
}

absl::Status ResidentModels::Insert(const std::string& name, int64_t generation, const Model& model,
                                    bool may_evict, std::vector<Model>& released) {
  absl::Status inserted = set_.Insert(model, may_evict, released);
  if (!may_evict) return inserted;
  absl::Duration waited;
  // Whoever lets a model go tells nobody: it is looked at again.
  while (RetryDelay(inserted) > absl::ZeroDuration() && waited < options_.max_wait_for_room) {
    mutex_.Unlock();
    options_.pause(kPause);
    mutex_.Lock();
    waited += kPause;
    if (NameOf(name, generation) == nullptr) return Changing(name);
    inserted = set_.Insert(model, may_evict, released);
  }
  return inserted;
}

absl::StatusOr<ResidentModels::Model> ResidentModels::ReadModel(const std::string& name,
                                                                int64_t version, ServingState state,
                                                                v1::ServingSettings* settings) {
  if (settings != nullptr) {
    MLP_ASSIGN_OR_RETURN(const v1::Model model, store_.GetModel(name));
    *settings = model.serving();
  }
  MLP_ASSIGN_OR_RETURN(const v1::ModelVersion record, store_.GetVersion(name, version));
  {
    // Before memory is taken for it; once it is there, its own size decides.
    absl::MutexLock lock(&mutex_);
    MLP_RETURN_IF_ERROR(
        set_.CheckFits(name, version, record.artifact_bytes() - kArtifactOverheadBytes));
  }
  try {
    MLP_ASSIGN_OR_RETURN(const std::string artifact, store_.ReadArtifact(name, version));
    absl::StatusOr<Model> model = ServableModel::Load(name, version, artifact, std::move(state));
    if (model.ok()) return model;
    return absl::Status(model.status().code(),
                        absl::StrCat("model ", name, "@", version, ": ", model.status().message()));
  } catch (const std::bad_alloc&) {
    return WithRetryDelay(NotEnoughMemory(name), kRetryDelay);
  }
}

void ResidentModels::KeepPrevious(const ModelReference& pointer, const absl::Status& failure,
                                  Name& known) {
  const std::string name = PointerName(pointer.model, pointer.alias);
  const auto entry = known.pointers.find(pointer.alias);
  if (entry == known.pointers.end()) return;  // it never answered
  int64_t& previous = entry->second;
  const int64_t answering = set_.PointedVersion(name);
  if (!IsLasting(failure)) {
    // Find must not find it, so that the next Load tries what it names again.
    if (answering != 0) previous = answering;
    set_.Unpoint(name);
  } else if (answering == 0 && previous != 0 && set_.Contains(pointer.model, previous)) {
    set_.Point(name, pointer.model, previous);
  }
}

}  // namespace mlp

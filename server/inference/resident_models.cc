#include "server/inference/resident_models.h"

#include <utility>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "server/store/find_version.h"

namespace mlp {

ResidentModels::ResidentModels(Store& store, const ResidencyOptions& options)
    : store_(store), options_(options), set_(options.budget_bytes) {}

ResidentModels::Model ResidentModels::Find(absl::string_view reference) {
  absl::MutexLock lock(&mutex_);
  return set_.Find(reference);
}

void ResidentModels::Refresh(absl::string_view model) {
  const std::string name(model);
  {
    absl::MutexLock lock(&mutex_);
    const auto known = names_.find(name);
    if (known == names_.end()) return;
    BeginGeneration(known->second);
  }
  // Again where another Refresh came in between: what this one was called for must be seen.
  while (true) {
    int64_t generation = 0;
    std::vector<int64_t> versions;
    {
      absl::MutexLock lock(&mutex_);
      const auto known = names_.find(name);
      if (known == names_.end()) return;
      generation = known->second.generation;
      for (const auto& [version, unused] : known->second.versions) versions.push_back(version);
    }
    const absl::StatusOr<v1::Model> stored = store_.GetModel(name);
    std::map<int64_t, absl::Status> lost;
    for (const int64_t version : versions) {
      const absl::Status found = store_.GetVersion(name, version).status();
      if (!found.ok() && !absl::IsDataLoss(found)) lost[version] = found;
    }

    std::vector<Model> released;
    std::vector<ModelReference> moved;
    {
      absl::MutexLock lock(&mutex_);
      Name* known = NameOf(name, generation);
      if (known == nullptr) continue;
      if (!DropLost(name, stored.status(), lost, *known, released)) return;
      if (stored.ok()) moved = MovedPointers(*stored, *known);
      if (known->unloaded) return;
    }
    released.clear();
    for (const ModelReference& pointer : moved) {
      Share(pointer, /*may_evict=*/true).IgnoreError();  // KeepPrevious dealt with it
    }
    return;
  }
}

bool ResidentModels::DropLost(const std::string& name, const absl::Status& model,
                              const std::map<int64_t, absl::Status>& lost, Name& known,
                              std::vector<Model>& released) {
  // Before their versions go, which pointers named something in memory.
  for (auto& [alias, previous] : known.pointers) {
    const int64_t answering = set_.PointedVersion(PointerName(name, alias));
    if (answering == 0 && !set_.Contains(name, previous)) previous = 0;
    if (answering != 0) previous = answering;
  }
  for (const auto& [version, found] : lost) {
    // Where the store is too busy to tell, only time is lost: the next Load asks it again.
    set_.Drop(name, version, released);
    if (absl::IsNotFound(found)) known.versions.erase(version);
  }
  if (!absl::IsNotFound(model)) return true;
  names_.erase(name);
  return false;
}

std::vector<ModelReference> ResidentModels::MovedPointers(const v1::Model& stored, Name& known) {
  std::vector<ModelReference> moved;
  for (const auto& [alias, previous] : known.pointers) {
    const std::string pointer = PointerName(stored.name(), alias);
    const auto set = stored.aliases().find(alias);
    const int64_t target = alias.empty()                   ? stored.served_version()
                           : set == stored.aliases().end() ? 0
                                                           : set->second;
    if (target == 0) set_.Unpoint(pointer);
    if (target == 0 || previous == 0 || target == set_.PointedVersion(pointer)) continue;
    moved.push_back({.model = stored.name(), .version = 0, .alias = alias});
  }
  return moved;
}

absl::Status ResidentModels::Unload(absl::string_view model) {
  MLP_RETURN_IF_ERROR(CheckName("model", model));
  const std::string name(model);
  for (int tries = 0; tries < kTries; ++tries) {
    int64_t generation = 0;
    {
      absl::MutexLock lock(&mutex_);
      generation = NameFor(name).generation;
    }
    const absl::Status stored = store_.GetModel(name).status();

    std::vector<Model> released;
    absl::MutexLock lock(&mutex_);
    Name* known = NameOf(name, generation);
    if (known == nullptr) continue;
    if (!stored.ok()) {
      ForgetIfUnknown(name);
      return stored;
    }
    BeginGeneration(*known);
    known->unloaded = true;
    for (const auto& [version, unused] : known->versions) set_.Drop(name, version, released);
    return absl::OkStatus();
  }
  return Changing(name);
}

absl::Status ResidentModels::Reload(absl::string_view model) {
  MLP_RETURN_IF_ERROR(CheckName("model", model));
  const std::string name(model);
  {
    absl::MutexLock lock(&mutex_);
    if (const auto known = names_.find(name); known != names_.end()) {
      BeginGeneration(known->second);
      known->second.unloaded = false;
    }
  }
  return Share({.model = name, .version = 0, .alias = ""}, /*may_evict=*/true).status();
}

absl::StatusOr<ModelCondition> ResidentModels::Condition(absl::string_view reference) {
  MLP_ASSIGN_OR_RETURN(const ModelReference parsed, ParseModelReference("model", reference));
  const absl::StatusOr<v1::ModelVersion> stored = FindVersion(parsed, store_);
  if (!stored.ok() && !absl::IsDataLoss(stored.status())) return stored.status();

  absl::MutexLock lock(&mutex_);
  const int64_t version = stored.ok() ? stored->version() : parsed.version;
  if (parsed.version == 0 ? set_.PointedVersion(PointerName(parsed.model, parsed.alias)) != 0
                          : set_.Contains(parsed.model, version)) {
    return ModelCondition::kReady;
  }
  const auto known = names_.find(parsed.model);
  if (known != names_.end()) {
    const Name& name = known->second;
    if (name.unloaded) return ModelCondition::kUnloaded;
    if (name.loads.contains(SelectorOf(parsed)) || name.loads.contains(absl::StrCat(version))) {
      return ModelCondition::kLoading;
    }
    const auto before = name.versions.find(version);
    if (before != name.versions.end() && before->second.damaged) return ModelCondition::kDamaged;
  }
  return stored.ok() ? ModelCondition::kStored : ModelCondition::kDamaged;
}

void ResidentModels::Apply(absl::string_view model, const v1::ServingSettings& settings) {
  absl::MutexLock lock(&mutex_);
  const auto known = names_.find(model);
  if (known == names_.end()) return;  // its first load reads them
  SetLimits(settings, known->second);
}

std::shared_ptr<const ModelStatistics> ResidentModels::Statistics(absl::string_view model,
                                                                  int64_t version) const {
  absl::MutexLock lock(&mutex_);
  const auto known = names_.find(model);
  if (known == names_.end()) return nullptr;
  const auto found = known->second.versions.find(version);
  return found == known->second.versions.end() ? nullptr : found->second.statistics;
}

void ResidentModels::SetLimits(const v1::ServingSettings& settings, Name& known) {
  ServingLimits& limits = *known.limits;
  limits.max_batch_rows = settings.max_batch_rows() > 0 ? settings.max_batch_rows()
                                                        : ServingLimits::kDefaultMaxBatchRows;
  limits.queue_delay_us = settings.queue_delay_us();
  limits.max_queued_requests = settings.max_queued_requests() > 0
                                   ? settings.max_queued_requests()
                                   : ServingLimits::kDefaultMaxQueuedRequests;
  known.limits_known = true;
}

absl::Status ResidentModels::Changing(absl::string_view name) {
  return absl::UnavailableError(absl::StrCat("model ", name, ": is changing; try again"));
}

ResidentModels::Name& ResidentModels::NameFor(const std::string& name) {
  const auto [known, is_new] = names_.try_emplace(name);
  if (is_new) BeginGeneration(known->second);
  return known->second;
}

ResidentModels::Name* ResidentModels::NameOf(const std::string& name, int64_t generation) {
  const auto known = names_.find(name);
  if (known == names_.end() || known->second.generation != generation) return nullptr;
  return &known->second;
}

void ResidentModels::BeginGeneration(Name& known) {
  known.generation = ++last_generation_;
  known.loads.clear();
}

void ResidentModels::ForgetIfUnknown(const std::string& name) {
  const auto known = names_.find(name);
  if (known == names_.end()) return;
  const Name& entry = known->second;
  if (entry.loads.empty() && entry.versions.empty() && !entry.unloaded) names_.erase(known);
}

void ResidentModels::SetBudget(int64_t bytes) {
  std::vector<Model> released;
  absl::MutexLock lock(&mutex_);
  set_.SetBudget(bytes, released);
}

int64_t ResidentModels::models() const {
  absl::MutexLock lock(&mutex_);
  return set_.models();
}

int64_t ResidentModels::bytes() const {
  absl::MutexLock lock(&mutex_);
  return set_.bytes();
}

}  // namespace mlp

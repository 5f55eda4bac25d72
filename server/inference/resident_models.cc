#include "server/inference/resident_models.h"

#include <utility>
#include <vector>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"

namespace mlp {

ResidentModels::ResidentModels(Store& store, const ResidencyOptions& options)
    : store_(store), options_(options) {}

absl::StatusOr<std::shared_ptr<const ServableModel>> ResidentModels::Get(
    const ModelReference& reference) {
  if (!reference.alias.empty()) {
    return absl::NotFoundError(
        absl::StrCat("model ", reference.model, ": no alias ", reference.alias));
  }
  Key key(reference.model, reference.version);
  if (key.second == 0) {
    MLP_ASSIGN_OR_RETURN(key.second, NewestVersion(reference.model));
  }
  if (std::shared_ptr<const ServableModel> model = Find(key)) return model;

  int64_t generation = 0;
  {
    absl::MutexLock lock(&mutex_);
    generation = generation_;
  }
  // Two callers may load the same version at once; the first one to insert it wins.
  MLP_ASSIGN_OR_RETURN(const std::string artifact, store_.ReadArtifact(key.first, key.second));
  MLP_ASSIGN_OR_RETURN(std::shared_ptr<const ServableModel> model,
                       ServableModel::Load(key.first, key.second, artifact));
  return Insert(key, std::move(model), generation);
}

absl::StatusOr<int64_t> ResidentModels::NewestVersion(const std::string& model) {
  int64_t generation = 0;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = newest_.find(model);
    if (found != newest_.end()) return found->second;
    generation = generation_;
  }
  MLP_ASSIGN_OR_RETURN(const v1::ModelVersion newest, store_.GetVersion(model, 0));
  absl::MutexLock lock(&mutex_);
  if (generation == generation_) newest_[model] = newest.version();
  return newest.version();
}

std::shared_ptr<const ServableModel> ResidentModels::Find(const Key& key) {
  absl::MutexLock lock(&mutex_);
  const auto found = resident_.find(key);
  if (found == resident_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, found->second.position);
  return found->second.model;
}

std::shared_ptr<const ServableModel> ResidentModels::Insert(
    const Key& key, std::shared_ptr<const ServableModel> model, int64_t generation) {
  absl::MutexLock lock(&mutex_);
  const auto found = resident_.find(key);
  if (found != resident_.end()) return found->second.model;
  if (generation != generation_) return model;  // it may have been deleted meanwhile: not kept

  recent_.push_front(key);
  resident_.emplace(key, Resident{model, recent_.begin()});
  bytes_ += model->bytes();
  // The new one counts too, but is not itself let go.
  while (bytes_ > options_.budget_bytes && recent_.size() > 1) Drop(Key(recent_.back()));
  return model;
}

void ResidentModels::Drop(const Key& key) {
  const auto found = resident_.find(key);
  bytes_ -= found->second.model->bytes();
  recent_.erase(found->second.position);
  resident_.erase(found);
}

void ResidentModels::Refresh(absl::string_view model) {
  std::vector<Key> held;
  {
    absl::MutexLock lock(&mutex_);
    ++generation_;
    newest_.erase(model);
    for (const Key& key : recent_) {
      if (key.first == model) held.push_back(key);
    }
  }
  for (const Key& key : held) {
    if (!absl::IsNotFound(store_.GetVersion(key.first, key.second).status())) continue;
    absl::MutexLock lock(&mutex_);
    if (resident_.contains(key)) Drop(key);
  }
}

int64_t ResidentModels::models() const {
  absl::MutexLock lock(&mutex_);
  return static_cast<int64_t>(resident_.size());
}

int64_t ResidentModels::bytes() const {
  absl::MutexLock lock(&mutex_);
  return bytes_;
}

}  // namespace mlp

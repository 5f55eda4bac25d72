#include "server/inference/resident_set.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <absl/strings/str_cat.h>
#include <absl/time/time.h>

#include "core/base/status_macros.h"
#include "server/retry_delay.h"

namespace mlp {
namespace {

// Whoever uses a model lets it go within a batch or an evaluation.
constexpr absl::Duration kRetryDelay = absl::Seconds(1);

std::string Reference(absl::string_view name, int64_t version) {
  return absl::StrCat(name, "@", version);
}

}  // namespace

void ResidentSet::SetBudget(int64_t bytes, std::vector<Model>& released) {
  budget_bytes_ = bytes;
  for (const bool may_be_in_use : {false, true}) {
    for (auto next = recent_.end(); next != recent_.begin();) {
      const Position oldest = std::prev(next);
      const int64_t surplus = (may_be_in_use ? held_bytes_ : this->bytes()) - budget_bytes_;
      if (surplus <= 0) break;
      if (!may_be_in_use && oldest->model.use_count() > 1) {
        next = oldest;
      } else {
        Leave(oldest, released);
      }
    }
  }
}

ResidentSet::Model ResidentSet::Find(absl::string_view reference) {
  const auto found = index_.find(reference);
  if (found == index_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, found->second);
  return found->second->model;
}

bool ResidentSet::Contains(absl::string_view name, int64_t version) const {
  return index_.contains(Reference(name, version));
}

absl::Status ResidentSet::CheckFits(absl::string_view name, int64_t version, int64_t bytes) const {
  if (bytes <= budget_bytes_) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("model ", Reference(name, version), ": expected at most ", budget_bytes_,
                   " bytes, the memory for models (--model-memory-bytes), got ", bytes));
}

absl::Status ResidentSet::NoRoom(const ServableModel& model) const {
  const absl::Status status = absl::ResourceExhaustedError(absl::StrCat(
      "model ", Reference(model.name(), model.version()), ": needs ", model.bytes(), " of the ",
      budget_bytes_, " bytes for models, of which ", bytes(), " are taken; try again later"));
  return WithRetryDelay(status, kRetryDelay);
}

absl::Status ResidentSet::Insert(Model model, bool may_evict, std::vector<Model>& released) {
  MLP_RETURN_IF_ERROR(CheckFits(model->name(), model->version(), model->bytes()));
  int64_t missing = bytes() + model->bytes() - budget_bytes_;
  std::vector<Position> idle;
  if (may_evict) {
    for (auto oldest = recent_.end(); missing > 0 && oldest != recent_.begin();) {
      --oldest;
      if (oldest->model.use_count() > 1) continue;
      idle.push_back(oldest);
      missing -= oldest->model->bytes();
    }
  }
  if (missing > 0) return NoRoom(*model);
  for (const Position& position : idle) Remove(position, released);

  held_bytes_ += model->bytes();
  std::string reference = Reference(model->name(), model->version());
  recent_.push_front({std::move(model), {}});
  index_[std::move(reference)] = recent_.begin();
  return absl::OkStatus();
}

void ResidentSet::Point(absl::string_view pointer, absl::string_view name, int64_t version) {
  Unpoint(pointer);
  const Position position = index_.find(Reference(name, version))->second;
  position->pointers.emplace_back(pointer);
  index_[pointer] = position;
}

void ResidentSet::Unpoint(absl::string_view pointer) {
  const auto found = index_.find(pointer);
  if (found == index_.end()) return;
  std::vector<std::string>& pointers = found->second->pointers;
  pointers.erase(std::remove(pointers.begin(), pointers.end(), pointer), pointers.end());
  index_.erase(found);
}

int64_t ResidentSet::PointedVersion(absl::string_view pointer) const {
  const auto found = index_.find(pointer);
  return found == index_.end() ? 0 : found->second->model->version();
}

void ResidentSet::Drop(absl::string_view name, int64_t version, std::vector<Model>& released) {
  const auto found = index_.find(Reference(name, version));
  if (found == index_.end()) return;
  Leave(found->second, released);
}

void ResidentSet::Leave(Position position, std::vector<Model>& released) {
  leaving_.erase(std::remove_if(leaving_.begin(), leaving_.end(),
                                [](const Leaving& left) { return left.model.expired(); }),
                 leaving_.end());
  const Model& model = position->model;
  if (model.use_count() > 1) leaving_.push_back({model, model->bytes()});
  Remove(position, released);
}

void ResidentSet::Remove(Position position, std::vector<Model>& released) {
  const ServableModel& model = *position->model;
  held_bytes_ -= model.bytes();
  for (const std::string& pointer : position->pointers) index_.erase(pointer);
  index_.erase(Reference(model.name(), model.version()));
  released.push_back(std::move(position->model));
  recent_.erase(position);
}

int64_t ResidentSet::bytes() const {
  int64_t bytes = held_bytes_;
  for (const Leaving& left : leaving_) {
    if (!left.model.expired()) bytes += left.bytes;
  }
  return bytes;
}

}  // namespace mlp

// What ResidentModels has in memory: the models by the references that name them, in the order of
// their use, within the memory budget. Knows neither the store nor why a model comes or goes.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>
#include <absl/strings/string_view.h>

#include "server/inference/servable_model.h"

namespace mlp {

// A model is held under NAME@VERSION, and under the pointers (NAME, NAME@ALIAS) that were set to
// it.
//
// A model is in use while anybody else holds it. Nobody can come to hold it but through Find, so
// that a model found idle stays idle until it is gone: the owner's lock makes the two one step.
// bytes() counts what is held here and what was dropped while in use until its users let it go;
// Insert keeps that sum within the budget, and it is back there after SetBudget once they did.
//
// Thread-compatible: ResidentModels guards it. Models that leave go into `released`, for the caller
// to free after it has let go of its lock: freeing a large one takes long.
class ResidentSet {
 public:
  using Model = std::shared_ptr<const ServableModel>;

  explicit ResidentSet(int64_t budget_bytes) : budget_bytes_(budget_bytes) {}

  // From now on so many bytes. Where more is here, idle models go, the least recently used first;
  // then, while what is held is still over it, models in use the same way, which are counted until
  // their users let them go.
  void SetBudget(int64_t bytes, std::vector<Model>& released);

  // Null where it is not here. Counts as a use. Allocates nothing.
  Model Find(absl::string_view reference);

  bool Contains(absl::string_view name, int64_t version) const;

  // Takes in a model that is not here yet, as used just now. Where it needs room, lets idle models
  // go, the least recently used first, if `may_evict`. RESOURCE_EXHAUSTED, and nothing is let go:
  // it is larger than the budget (CheckFits), or there is too little room (with a retry hint).
  absl::Status Insert(Model model, bool may_evict, std::vector<Model>& released);

  // RESOURCE_EXHAUSTED, without a retry hint, where `bytes` of a model are over the whole budget.
  absl::Status CheckFits(absl::string_view name, int64_t version, int64_t bytes) const;

  // From now on `pointer` names NAME@VERSION, which is here.
  void Point(absl::string_view pointer, absl::string_view name, int64_t version);
  // It names nothing any more; its version stays.
  void Unpoint(absl::string_view pointer);
  // The version that it is set to; 0: none.
  int64_t PointedVersion(absl::string_view pointer) const;

  // Takes a version out, in use or not; of no effect where it is not here.
  void Drop(absl::string_view name, int64_t version, std::vector<Model>& released);

  int64_t models() const { return static_cast<int64_t>(recent_.size()); }
  int64_t bytes() const;

 private:
  // Dropped while in use.
  struct Leaving {
    std::weak_ptr<const ServableModel> model;
    int64_t bytes;
  };

  struct Held {
    Model model;
    std::vector<std::string> pointers;
  };
  using Position = std::list<Held>::iterator;

  // Counts it on while it is in use.
  void Leave(Position position, std::vector<Model>& released);
  void Remove(Position position, std::vector<Model>& released);
  absl::Status NoRoom(const ServableModel& model) const;

  int64_t budget_bytes_;
  std::list<Held> recent_;  // most recently used first
  absl::flat_hash_map<std::string, Position> index_;
  int64_t held_bytes_ = 0;  // of recent_
  std::vector<Leaving> leaving_;
};

}  // namespace mlp

// Which versions of a model are kept: deletes those that its Retention leaves no place for.
#pragma once

#include <absl/status/status.h>
#include <absl/strings/string_view.h>

#include "server/inference/resident_models.h"
#include "server/store/store.h"

namespace mlp {

// Versions that are in use stay, see v1::Retention; they are looked at again by the next call. Of
// no effect on a model that keeps all, or that is not there. The store's errors.
absl::Status DeleteSurplusVersions(absl::string_view model, Store& store, ResidentModels& models);

}  // namespace mlp

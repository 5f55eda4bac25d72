// Models loaded before the server takes its first request: the setting preload.
#pragma once

#include <cstdint>
#include <vector>

#include <absl/status/status.h>
#include <absl/strings/string_view.h>

#include "server/inference/resident_models.h"
#include "server/store/store.h"

namespace mlp {

struct PreloadResult {
  int64_t loaded = 0;
  // What was asked for and did not come into memory; each names the model.
  std::vector<absl::Status> failures;
};

// Loads what `list` names, a few at a time: nothing, model references separated by commas (checked
// as the setting), or the newest version of every model for `all` (a model of that name is
// all@VERSION here). What is loaded lets nothing else go, so that the first ones stay; of all
// models, none is tried any more once there is no room for one. A model that does not exist or is
// damaged is a failure like any other: the server can do without it.
PreloadResult Preload(absl::string_view list, Store& store, ResidentModels& models);

}  // namespace mlp

// The model that a training starts from: a stored version -> network and scaling.
#pragma once

#include <cstdint>
#include <string>

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include "core/train/training_context.h"
#include "server/store/store.h"

namespace mlp {

struct InitialModel {
  std::string reference;  // NAME@VERSION
  int64_t version = 0;
  WarmStart start;
};

// Of NAME (its newest version) or NAME@VERSION. Errors name the field `initial_model`:
// INVALID_ARGUMENT where it is no reference, NOT_FOUND, DATA_LOSS, and the store's others.
absl::StatusOr<InitialModel> ReadInitialModel(absl::string_view reference, Store& store);

}  // namespace mlp

// The model that a training starts from: a stored version, or what a job kept -> network and
// scaling.
#pragma once

#include <cstdint>
#include <string>

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include "core/train/training_context.h"
#include "server/store/store.h"

namespace mlp {

struct InitialModel {
  std::string reference;  // NAME@VERSION or job/NUMBER
  int64_t version = 0;    // 0: of a job
  WarmStart start;
};

// Of NAME, NAME@VERSION, NAME@ALIAS or job/NUMBER. Errors name the field `initial_model`:
// INVALID_ARGUMENT where it is no reference, NOT_FOUND (also of weights that a job did not keep),
// FAILED_PRECONDITION of a job that has not ended, or that succeeded (naming its version),
// DATA_LOSS, and the store's others.
absl::StatusOr<InitialModel> ReadInitialModel(absl::string_view reference, Store& store);

}  // namespace mlp

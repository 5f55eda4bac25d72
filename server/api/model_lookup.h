// From a model reference, as callers write it, to the stored version.
#pragma once

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include "mlp/v1/model.pb.h"
#include "server/store/store.h"

namespace mlp {

// `reference` came in field `model`. INVALID_ARGUMENT: no reference. NOT_FOUND says whether model,
// version or alias is missing.
absl::StatusOr<v1::ModelVersion> FindModelVersion(absl::string_view reference, Store& store);

}  // namespace mlp

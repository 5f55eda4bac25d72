// From a model reference to the stored version.
#pragma once

#include <string>

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include "mlp/v1/model.pb.h"
#include "server/names.h"
#include "server/store/store.h"

namespace mlp {

// NOT_FOUND says whether model, version or alias is missing.
absl::StatusOr<v1::ModelVersion> FindVersion(const ModelReference& reference, Store& store);

// What stands behind the '@': a version, an alias, or nothing.
std::string SelectorOf(const ModelReference& reference);

// NAME or, where `alias` is not empty, NAME@ALIAS.
std::string PointerName(absl::string_view model, absl::string_view alias);

}  // namespace mlp

// Names of datasets and models, and references to model versions.
#pragma once

#include <cstdint>
#include <string>

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

namespace mlp {

// Checks [a-z0-9][a-z0-9._-]{0,62}. INVALID_ARGUMENT naming `field`; the name itself is repeated
// only in escaped form.
absl::Status CheckName(absl::string_view field, absl::string_view name);

// The same for an alias: a name that is no number.
absl::Status CheckAlias(absl::string_view field, absl::string_view alias);

// NAME, NAME@VERSION or NAME@ALIAS.
struct ModelReference {
  std::string model;
  int64_t version = 0;  // 0: not given
  std::string alias;    // empty: not given
};

// INVALID_ARGUMENT naming `field`: a bad name, a version that is not a positive number, a bad alias
// (aliases are names that are no numbers).
absl::StatusOr<ModelReference> ParseModelReference(absl::string_view field,
                                                   absl::string_view reference);

}  // namespace mlp

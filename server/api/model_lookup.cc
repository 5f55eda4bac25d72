#include "server/api/model_lookup.h"

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "server/names.h"

namespace mlp {

absl::StatusOr<v1::ModelVersion> FindModelVersion(absl::string_view reference, Store& store) {
  MLP_ASSIGN_OR_RETURN(const ModelReference parsed, ParseModelReference("model", reference));
  if (!parsed.alias.empty()) {
    return absl::NotFoundError(absl::StrCat("model ", parsed.model, ": no alias ", parsed.alias));
  }
  return store.GetVersion(parsed.model, parsed.version);
}

}  // namespace mlp

#include "server/api/model_lookup.h"

#include "core/base/status_macros.h"
#include "server/names.h"
#include "server/store/find_version.h"

namespace mlp {

absl::StatusOr<v1::ModelVersion> FindModelVersion(absl::string_view reference, Store& store) {
  MLP_ASSIGN_OR_RETURN(const ModelReference parsed, ParseModelReference("model", reference));
  return FindVersion(parsed, store);
}

}  // namespace mlp

#include "server/store/find_version.h"

#include <absl/strings/str_cat.h>

namespace mlp {

absl::StatusOr<v1::ModelVersion> FindVersion(const ModelReference& reference, Store& store) {
  if (!reference.alias.empty()) return store.GetAliasedVersion(reference.model, reference.alias);
  return store.GetVersion(reference.model, reference.version);
}

std::string SelectorOf(const ModelReference& reference) {
  return reference.version > 0 ? absl::StrCat(reference.version) : reference.alias;
}

std::string PointerName(absl::string_view model, absl::string_view alias) {
  return alias.empty() ? std::string(model) : absl::StrCat(model, "@", alias);
}

}  // namespace mlp

#include "server/config/value_checks.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>

#include "core/base/status_macros.h"
#include "server/address.h"
#include "server/names.h"

namespace mlp {

absl::Status CheckAddress(absl::string_view name, absl::string_view text) {
  return ParseAddress(name, text).status();
}

absl::Status CheckOptionalAddress(absl::string_view name, absl::string_view text) {
  return text.empty() ? absl::OkStatus() : CheckAddress(name, text);
}

absl::Status CheckPreload(absl::string_view name, absl::string_view list) {
  if (list.empty() || list == "all") return absl::OkStatus();
  for (const absl::string_view reference : absl::StrSplit(list, ',')) {
    if (absl::StripAsciiWhitespace(reference).empty()) {
      // An entry that is missing is most likely a name that is.
      return absl::InvalidArgumentError(
          absl::StrCat(name, ": expected names separated by commas, got an empty one in ", list));
    }
    if (reference == "all") {
      return absl::InvalidArgumentError(
          absl::StrCat(name, ": expected all alone, got it in a list"));
    }
    MLP_RETURN_IF_ERROR(ParseModelReference(name, reference).status());
  }
  return absl::OkStatus();
}

}  // namespace mlp

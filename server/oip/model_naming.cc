#include "server/oip/model_naming.h"

#include <algorithm>

#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "server/names.h"

namespace mlp {

absl::StatusOr<int64_t> ParseVersion(absl::string_view field, absl::string_view text) {
  if (text.empty()) return 0;
  int64_t version = 0;
  const bool digits = std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
  if (!digits || !absl::SimpleAtoi(text, &version) || version < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(field, ": expected nothing or a number of 1 or more, got ", Quoted(text)));
  }
  return version;
}

absl::Status MakeReference(absl::string_view name_field, absl::string_view name,
                           absl::string_view version_field, absl::string_view version,
                           std::string& reference) {
  MLP_RETURN_IF_ERROR(CheckName(name_field, name));
  MLP_ASSIGN_OR_RETURN(const int64_t number, ParseVersion(version_field, version));
  reference.assign(name.data(), name.size());
  if (number > 0) absl::StrAppend(&reference, "@", number);
  return absl::OkStatus();
}

std::string Quoted(absl::string_view text) {
  return absl::StrCat("\"", absl::CEscape(text.substr(0, 40)), text.size() > 40 ? "...\"" : "\"");
}

}  // namespace mlp

#include "server/names.h"

#include <algorithm>

#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"

namespace mlp {
namespace {

constexpr size_t kMaxNameLength = 63;

bool IsNameCharacter(char c) {
  return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '.' || c == '_' || c == '-';
}

bool IsNumber(absl::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return absl::ascii_isdigit(c); });
}

}  // namespace

absl::Status CheckName(absl::string_view field, absl::string_view name) {
  const bool starts_well =
      !name.empty() && (absl::ascii_islower(name[0]) || absl::ascii_isdigit(name[0]));
  if (starts_well && name.size() <= kMaxNameLength &&
      std::all_of(name.begin(), name.end(), IsNameCharacter)) {
    return absl::OkStatus();
  }
  std::string got =
      name.empty() ? "nothing" : absl::StrCat("\"", absl::CEscape(name.substr(0, 80)), "\"");
  if (name.size() > kMaxNameLength) absl::StrAppend(&got, " of ", name.size(), " characters");
  return absl::InvalidArgumentError(absl::StrCat(
      field,
      ": expected a name of 1 to 63 characters a-z, 0-9, '.', '_', '-' that starts with a "
      "letter or digit, got ",
      got));
}

absl::Status CheckAlias(absl::string_view field, absl::string_view alias) {
  MLP_RETURN_IF_ERROR(CheckName(field, alias));
  if (!IsNumber(alias)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": expected a name that is no number, got \"", alias, "\""));
}

absl::StatusOr<ModelReference> ParseModelReference(absl::string_view field,
                                                   absl::string_view reference) {
  ModelReference parsed;
  const size_t at = reference.find('@');
  parsed.model = std::string(reference.substr(0, at));
  MLP_RETURN_IF_ERROR(CheckName(field, parsed.model));
  if (at == absl::string_view::npos) return parsed;

  const absl::string_view selector = reference.substr(at + 1);
  if (!IsNumber(selector)) {
    parsed.alias = std::string(selector);
    MLP_RETURN_IF_ERROR(CheckName(absl::StrCat(field, " (after '@')"), selector));
    return parsed;
  }
  if (!absl::SimpleAtoi(selector, &parsed.version) || parsed.version < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(field, ": expected a version of 1 or more after '@', got \"",
                     selector.substr(0, 80), "\""));
  }
  return parsed;
}

}  // namespace mlp

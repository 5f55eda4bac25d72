// Which texts are values of settings; TextChecks of setting.h.
#pragma once

#include <absl/status/status.h>
#include <absl/strings/string_view.h>

namespace mlp {

// INVALID_ARGUMENT naming `name` unless `text` is HOST:PORT.
absl::Status CheckAddress(absl::string_view name, absl::string_view text);
// The same, but nothing is allowed too.
absl::Status CheckOptionalAddress(absl::string_view name, absl::string_view text);

// INVALID_ARGUMENT naming `name` unless `list` is nothing, `all`, or model references separated by
// commas, none of them empty or `all`.
absl::Status CheckPreload(absl::string_view name, absl::string_view list);

}  // namespace mlp

// What is said of a setting that does not exist.
#pragma once

#include <vector>

#include <absl/status/status.h>
#include <absl/strings/string_view.h>

namespace mlp {

// INVALID_ARGUMENT: there is no setting `name`, given at `origin`; and, where one of the settings
// or of `others` is spelt nearly so, that this one may be meant.
absl::Status UnknownSetting(absl::string_view name, absl::string_view origin,
                            const std::vector<absl::string_view>& others = {});

}  // namespace mlp

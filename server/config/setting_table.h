// All settings of mlpd, and all that is said of them anywhere: flags, keys of the configuration
// file, names in the environment, checks, --print-config, docs/configuration.md.
#pragma once

#include <string>

#include <absl/status/status.h>
#include <absl/strings/string_view.h>
#include <absl/types/span.h>

#include "server/config/server_options.h"
#include "server/config/setting.h"

namespace mlp {

// In the order in which they are shown.
absl::Span<const Setting> AllSettings();

// Null where there is none of that name.
const Setting* FindSetting(absl::string_view name);

// MLPD_GRPC_ADDRESS for grpc-address.
std::string EnvironmentName(absl::string_view setting);

// INVALID_ARGUMENT naming a setting whose value is not allowed, or one that is required.
absl::Status CheckOptions(const ProgramOptions& options);
absl::Status CheckOptions(const ServerOptions& options);

}  // namespace mlp

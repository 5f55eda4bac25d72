// Settings in the environment: MLPD_GRPC_ADDRESS and the like.
#pragma once

#include <string>
#include <vector>

#include "server/config/given_value.h"

namespace mlp {

// MLPD_CONFIG, which is no setting: it names the configuration file.
inline constexpr char kConfigFileVariable[] = "MLPD_CONFIG";

// All variables that begin with MLPD_, known or not, but for MLPD_CONFIG. `environment`: NAME=VALUE
// strings, then null, as main's `environ`.
std::vector<GivenValue> ReadEnvironment(const char* const* environment);

}  // namespace mlp

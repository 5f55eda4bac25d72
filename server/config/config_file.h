// The configuration file: a YAML mapping of settings to values, nothing nested.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "server/config/given_value.h"

namespace mlp {

inline constexpr size_t kMaxConfigFileBytes = size_t{64} << 10;

// The settings of the file at `path`, in its order; an empty file has none. A list is taken for a
// setting of names, and comes as text with commas. INVALID_ARGUMENT naming the file and mostly the
// line: it cannot be read, is larger than kMaxConfigFileBytes, is no YAML or no mapping, has a key
// twice, or a value that is nothing or nested.
absl::StatusOr<std::vector<GivenValue>> ReadConfigFile(const std::string& path);

}  // namespace mlp

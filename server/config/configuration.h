// What mlpd runs with, and where each value of it comes from: a flag goes before the environment,
// that before the configuration file, that before the default.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include "server/config/given_value.h"
#include "server/config/server_options.h"

namespace mlp {

struct ConfigurationSources {
  std::vector<GivenValue> flags = {};
  std::vector<GivenValue> environment = {};
  std::string file = {};  // path; empty: none
};

struct Configuration {
  ProgramOptions options;
  std::map<std::string, std::string> origins;  // by the name of the setting; none: the default

  // "default", or where it was given.
  std::string Origin(absl::string_view setting) const;
};

// Reads the file and lays the sources over each other. INVALID_ARGUMENT naming the setting and
// where it was given: ReadConfigFile's errors; a setting that does not exist, with the one that is
// spelt most like it; a value that is not allowed, of a source that another one overrides too.
// A required setting that nobody gave is no error here: CheckOptions says so.
absl::StatusOr<Configuration> LoadConfiguration(const ConfigurationSources& sources);

}  // namespace mlp

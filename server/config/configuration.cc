#include "server/config/configuration.h"

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "server/config/config_file.h"
#include "server/config/setting_table.h"
#include "server/config/unknown_setting.h"

namespace mlp {
namespace {

absl::Status Apply(const std::vector<GivenValue>& values, Configuration& configuration) {
  for (const GivenValue& value : values) {
    const Setting* setting = FindSetting(value.name);
    if (setting == nullptr) return UnknownSetting(value.name, value.origin);
    const absl::Status status = SetFromText(*setting, value.text, configuration.options);
    if (!status.ok()) {
      return absl::Status(status.code(),
                          absl::StrCat(status.message(), " (from ", value.origin, ")"));
    }
    configuration.origins[value.name] = value.origin;
  }
  return absl::OkStatus();
}

}  // namespace

std::string Configuration::Origin(absl::string_view setting) const {
  const auto found = origins.find(std::string(setting));
  return found == origins.end() ? "default" : found->second;
}

absl::StatusOr<Configuration> LoadConfiguration(const ConfigurationSources& sources) {
  Configuration configuration;
  if (!sources.file.empty()) {
    MLP_ASSIGN_OR_RETURN(const std::vector<GivenValue> values, ReadConfigFile(sources.file));
    MLP_RETURN_IF_ERROR(Apply(values, configuration));
  }
  MLP_RETURN_IF_ERROR(Apply(sources.environment, configuration));
  MLP_RETURN_IF_ERROR(Apply(sources.flags, configuration));
  return configuration;
}

}  // namespace mlp

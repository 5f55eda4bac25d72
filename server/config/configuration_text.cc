#include "server/config/configuration_text.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/string_view.h>
#include <yaml-cpp/yaml.h>

#include "server/config/setting_table.h"

namespace mlp {
namespace {

std::string AsCode(absl::string_view text) {
  return text.empty() ? "" : absl::StrCat("`", text, "`");
}

}  // namespace

std::string ConfigurationYaml(const Configuration& configuration) {
  YAML::Emitter yaml;
  yaml << YAML::Comment("What mlpd runs with, where each setting comes from, and what is allowed.");
  yaml << YAML::BeginMap;
  for (const Setting& setting : AllSettings()) {
    const std::string value = ValueText(setting, configuration.options);
    const std::string allowed = AllowedValues(setting);
    if (setting.required && value.empty()) {
      yaml << YAML::Newline << YAML::Comment(absl::StrCat(setting.name, ": required: ", allowed));
      continue;
    }
    yaml << YAML::Key << std::string(setting.name) << YAML::Value << value
         << YAML::Comment(absl::StrCat(configuration.Origin(setting.name), "; ", allowed));
  }
  yaml << YAML::EndMap << YAML::Newline;
  return yaml.c_str();
}

std::string SettingsMarkdown() {
  std::string text =
      "| setting | type | default | allowed | SIGHUP | |\n"
      "| --- | --- | --- | --- | --- | --- |\n";
  const ProgramOptions defaults;
  for (const Setting& setting : AllSettings()) {
    const std::string value = setting.required ? "required" : AsCode(ValueText(setting, defaults));
    absl::StrAppend(&text, "| ", AsCode(setting.name), " | ", TypeName(setting.type), " | ", value,
                    " | ", AllowedValues(setting), " | ", setting.reloadable ? "yes" : "restart",
                    " | ", setting.help, " |\n");
  }
  return text;
}

}  // namespace mlp

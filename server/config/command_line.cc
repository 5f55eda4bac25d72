#include "server/config/command_line.h"

#include <sstream>
#include <utility>

#include <CLI/CLI.hpp>
#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/string_view.h>
#include <absl/strings/strip.h>

#include "core/base/status_macros.h"
#include "server/config/environment.h"
#include "server/config/setting_table.h"
#include "server/config/unknown_setting.h"

namespace mlp {
namespace {

std::string FlagOf(absl::string_view setting) { return absl::StrCat("--", setting); }

// CLI11 sees texts alone: what they mean is SetFromText's, the same for every source.
void AddSettings(CLI::App& app) {
  const ProgramOptions defaults;
  for (const Setting& setting : AllSettings()) {
    const std::string help(setting.help);
    if (setting.type == SettingType::kYesNo) {
      app.add_flag(FlagOf(setting.name))->description(help);
      continue;
    }
    app.add_option(FlagOf(setting.name))
        ->description(help)
        ->type_name(absl::AsciiStrToUpper(TypeName(setting.type)))
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)  // GivenFlags refuses two itself
        ->default_str(ValueText(setting, defaults));
  }
}

absl::StatusOr<std::vector<GivenValue>> GivenFlags(const CLI::App& app) {
  std::vector<GivenValue> values;
  for (const Setting& setting : AllSettings()) {
    const std::string flag = FlagOf(setting.name);
    const CLI::Option* option = app.get_option(flag);
    if (option->count() == 0) continue;
    if (option->count() > 1) {
      return absl::InvalidArgumentError(absl::StrCat(setting.name, ": expected once, got it ",
                                                     option->count(), " times (from ", flag, ")"));
    }
    values.push_back(
        {.name = std::string(setting.name), .text = option->results().back(), .origin = flag});
  }
  return values;
}

// Why `app` did not take an argument that it did not expect.
absl::Status Unexpected(const std::string& argument) {
  absl::string_view name = absl::string_view(argument).substr(0, argument.find('='));
  if (!absl::ConsumePrefix(&name, "--")) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected flags, got \"", absl::Utf8SafeCEscape(argument), "\""));
  }
  return UnknownSetting(name, "the command line",
                        {"config", "print-config", "check-config", "version", "help"});
}

}  // namespace

absl::StatusOr<CommandLine> ParseCommandLine(const std::vector<std::string>& arguments,
                                             const std::string& version,
                                             const char* config_variable) {
  CLI::App app("mlpd trains multi-layer perceptrons and serves them over gRPC.", "mlpd");
  CommandLine line;
  bool print_config = false;
  bool check_config = false;
  const CLI::Option* config =
      app.add_option("--config", line.config_file,
                     "YAML file of settings, named as these flags are; flags and the environment "
                     "(MLPD_GRPC_ADDRESS, ...) go before it. SIGHUP reads it again");
  CLI::Option* print = app.add_flag("--print-config", print_config,
                                    "Print the configuration with where each setting comes from, "
                                    "as a file for --config, and exit");
  app.add_flag("--check-config", check_config, "Say whether the configuration is valid, and exit")
      ->excludes(print);
  AddSettings(app);
  app.set_version_flag("--version", version);
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
      std::ostringstream text;
      app.exit(error, text, text);
      line.action = CommandLine::Action::kShowText;
      line.text = text.str();
      return line;
    }
    const std::vector<std::string> unknown = app.remaining();
    if (!unknown.empty()) return Unexpected(unknown.front());
    return absl::InvalidArgumentError(error.what());
  }
  if (config->count() == 0 && config_variable != nullptr) line.config_file = config_variable;
  if (line.config_file.empty() && (config->count() > 0 || config_variable != nullptr)) {
    return absl::InvalidArgumentError(
        absl::StrCat("config: expected a file, got nothing (from ",
                     config->count() > 0 ? "--config" : kConfigFileVariable, ")"));
  }
  if (print_config) line.action = CommandLine::Action::kPrintConfig;
  if (check_config) line.action = CommandLine::Action::kCheckConfig;
  MLP_ASSIGN_OR_RETURN(line.flags, GivenFlags(app));
  return line;
}

}  // namespace mlp

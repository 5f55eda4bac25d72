#include "server/config/reload.h"

#include <utility>

#include <absl/status/statusor.h>
#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "server/config/setting_table.h"

namespace mlp {
namespace {

absl::StatusOr<Configuration> LoadComplete(const ConfigurationSources& sources) {
  MLP_ASSIGN_OR_RETURN(Configuration read, LoadConfiguration(sources));
  MLP_RETURN_IF_ERROR(CheckOptions(read.options));
  return read;
}

std::string ForLine(const std::string& value) {
  return value.empty() ? "\"\"" : absl::Utf8SafeCEscape(value);
}

// Takes what can change from `read` into `running`.
absl::StatusOr<std::vector<std::string>> TakeOver(const Configuration& read,
                                                  Configuration& running) {
  std::vector<std::string> lines;
  for (const Setting& setting : AllSettings()) {
    const std::string before = ValueText(setting, running.options);
    const std::string after = ValueText(setting, read.options);
    if (before == after) continue;
    lines.push_back(absl::StrCat(setting.name, ": ", ForLine(before), " -> ", ForLine(after),
                                 setting.reloadable ? "" : " needs a restart"));
    if (!setting.reloadable) continue;
    MLP_RETURN_IF_ERROR(SetFromText(setting, after, running.options));
  }
  return lines;
}

}  // namespace

std::vector<std::string> ReloadConfiguration(
    const ConfigurationSources& sources,
    absl::FunctionRef<absl::Status(const ServerOptions&)> apply, Configuration& running) {
  if (sources.file.empty()) return {"there is no configuration file to read again (--config)"};
  const auto refused = [](const absl::Status& status) -> std::vector<std::string> {
    return {
        absl::StrCat("the configuration stays as it is: ", absl::string_view(status.message()))};
  };
  const absl::StatusOr<Configuration> read = LoadComplete(sources);
  if (!read.ok()) return refused(read.status());
  Configuration next = running;
  absl::StatusOr<std::vector<std::string>> lines = TakeOver(*read, next);
  if (!lines.ok()) return refused(lines.status());
  if (lines->empty()) return {"configuration read again: nothing changed"};
  const absl::Status applied = apply(next.options);
  if (!applied.ok()) return refused(applied);
  running = std::move(next);
  return *std::move(lines);
}

}  // namespace mlp

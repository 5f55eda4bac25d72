// mlpd's command line: a flag for each setting, and what to do.
#pragma once

#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "server/config/given_value.h"

namespace mlp {

struct CommandLine {
  enum class Action {
    kServe,
    kPrintConfig,
    kCheckConfig,
    kShowText,  // --help, --version
  };
  Action action = Action::kServe;
  std::string text;         // of kShowText, to be printed as it is
  std::string config_file;  // --config, or MLPD_CONFIG; empty: none
  std::vector<GivenValue> flags;
};

// `arguments`: without the program's name. `version`: what --version prints. `config_variable`:
// value of MLPD_CONFIG; null where it is not set. INVALID_ARGUMENT: a flag that does not exist,
// with the one that is spelt most like it; a flag without its value, or given twice; an argument
// that is no flag; a configuration file without a name. Values are not looked at.
absl::StatusOr<CommandLine> ParseCommandLine(const std::vector<std::string>& arguments,
                                             const std::string& version,
                                             const char* config_variable);

}  // namespace mlp

// SIGHUP: the configuration read again while the server runs, all or nothing.
#pragma once

#include <string>
#include <vector>

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>

#include "server/config/configuration.h"

namespace mlp {

// Reads `sources` again and hands what `running` becomes by it to `apply`: settings that cannot be
// changed without a restart keep their values. Where all went well, `running` is that, and the
// lines returned name each setting that changed (`max-queued-jobs: 1000 -> 10`) and each that needs
// a restart. Otherwise `running` is as before, and the one line says why.
std::vector<std::string> ReloadConfiguration(
    const ConfigurationSources& sources,
    absl::FunctionRef<absl::Status(const ServerOptions&)> apply, Configuration& running);

}  // namespace mlp

// mlpctl models export, import.
#pragma once

#include "client/commands/command.h"

namespace CLI {
class App;
}

namespace mlp {

// Below `models`.
void AddModelFileCommands(CLI::App& models, Command& command);

}  // namespace mlp

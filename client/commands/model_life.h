// mlpctl models alias, unalias, rollback, retention, annotate, lineage.
#pragma once

#include "client/commands/command.h"

namespace CLI {
class App;
}

namespace mlp {

// Below `models`.
void AddModelLifeCommands(CLI::App& models, Command& command);

}  // namespace mlp

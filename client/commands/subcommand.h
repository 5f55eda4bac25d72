// Ties a CLI11 subcommand to the function that runs it. Only the commands' .cc files include this.
#pragma once

#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "client/commands/command.h"

namespace mlp {

// Adds the subcommand `name` to `app`: its flags live as long as the command does.
//   add_flags(CLI::App&, Flags&) declares them; run(CommandContext&, const Flags&) is the command.
template <typename Flags, typename AddFlags, typename Run>
CLI::App* AddCommand(CLI::App& app, const std::string& name, const std::string& description,
                     Command& command, AddFlags add_flags, Run run) {
  auto flags = std::make_shared<Flags>();
  auto* subcommand = app.add_subcommand(name, description);
  add_flags(*subcommand, *flags);
  subcommand->callback([flags, run, &command] {
    command = [flags, run](CommandContext& context) { return run(context, *flags); };
  });
  return subcommand;
}

}  // namespace mlp

#include "client/commands/mlpctl_app.h"

#include <memory>

#include <CLI/CLI.hpp>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <absl/time/time.h>

#include "client/client.h"
#include "client/commands/command.h"
#include "client/readers/quote.h"

namespace mlp {
namespace {

constexpr char kFooter[] = R"(Examples:
  mlpctl datasets upload digits --sheet digits.png --cell 20x20
  mlpctl train digits --dataset digits --layers 400,25,10 --lambda 1
  mlpctl evaluate digits --dataset digits --part test
  mlpctl predict digits --image three.png
  mlpctl bench digits --concurrency 16
`mlpctl COMMAND --help` tells more. The exit status is 0 only on success, 2 for a wrong command line.)";

// CLI11's help with the descriptions broken into lines.
class HelpFormatter final : public CLI::Formatter {
 public:
  HelpFormatter() { column_width(28); }

  std::string make_option_desc(const CLI::Option* option) const override {
    constexpr size_t kColumns = 70;
    std::string text;
    size_t used = 0;
    for (const absl::string_view word : absl::StrSplit(option->get_description(), ' ')) {
      if (used + 1 + word.size() > kColumns) {
        text += '\n';
        used = 0;
      } else if (used > 0) {
        text += ' ';
        ++used;
      }
      absl::StrAppend(&text, word);
      used += word.size();
    }
    return text;
  }
};

void AddGlobalFlags(CLI::App& app, GlobalFlags& flags) {
  app.add_option("--server", flags.server, "HOST:PORT of mlpd")
      ->envname("MLPCTL_SERVER")
      ->capture_default_str();
  app.add_option("--output", flags.output,
                 "text, or json: one object a line, with the fields of the API")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  app.add_option("--timeout", flags.timeout, "For one call; uploads and watches may take longer")
      ->capture_default_str();
}

absl::StatusOr<ClientOptions> OptionsFrom(const GlobalFlags& flags) {
  ClientOptions options;
  options.server = flags.server;
  if (!absl::ParseDuration(flags.timeout, &options.call_timeout) ||
      options.call_timeout <= absl::ZeroDuration() || options.call_timeout > absl::Hours(24)) {
    return UsageError("--timeout", absl::StrCat("expected a duration up to 24h, such as 30s, got ",
                                                Quote(flags.timeout)));
  }
  return options;
}

// The help of the command that was being read.
std::string HelpOf(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  if (commands.empty()) return absl::StrCat(app.get_name(), " --help");
  return absl::StrCat(app.get_name(), " ", HelpOf(*commands.back()));
}

// CLI11's words, but for a value that is no number: of every other type all are taken.
std::string Describe(const CLI::ParseError& error) {
  absl::string_view what = error.what();
  if (!absl::ConsumePrefix(&what, "Could not convert: ")) return std::string(what);
  const std::pair<std::string, std::string> parts = absl::StrSplit(what, absl::MaxSplits(" = ", 1));
  return absl::StrCat(parts.first, ": expected a number, got ", Quote(parts.second));
}

int ExplainParseError(const CLI::App& app, const CLI::ParseError& error, std::ostream& out,
                      std::ostream& err) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
    return app.exit(error, out, err);  // --help
  }
  // Of a command line such as `mlpctl frobnicate` CLI11 only says that a subcommand is missing.
  const std::vector<std::string> unknown = app.remaining(/*recurse=*/true);
  const bool no_command = error.get_name() == "RequiredError" && !unknown.empty() &&
                          absl::StrContains(error.what(), "subcommand");
  const std::string what =
      no_command ? absl::StrCat("there is no command ", Quote(unknown.front())) : Describe(error);
  err << "mlpctl: " << what << "\nTry: " << HelpOf(app) << std::endl;
  return kExitUsage;
}

absl::StatusOr<int> Run(const GlobalFlags& flags, const Command& command, std::ostream& out,
                        std::ostream& err, const TerminalStyle& style) {
  const absl::StatusOr<ClientOptions> options = OptionsFrom(flags);
  if (!options.ok()) return options.status();
  Client client(*options);
  CommandContext context(flags, client, out, err, style);
  return command(context);
}

}  // namespace

int RunMlpctl(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err,
              const TerminalStyle& style) {
  CLI::App app("Trains multi-layer perceptrons on an mlpd server and asks them.", "mlpctl");
  app.formatter(std::make_shared<HelpFormatter>());
  GlobalFlags flags;
  AddGlobalFlags(app, flags);
  app.require_subcommand(1);
  app.fallthrough();  // --server and --output may also come after the command
  app.footer(kFooter);
  Command command;
  AddDatasetsCommands(app, command);
  AddTrainCommand(app, command);
  AddJobsCommands(app, command);
  AddPredictCommand(app, command);
  AddEvaluateCommand(app, command);
  AddModelsCommands(app, command);
  AddBenchCommand(app, command);
  AddAdminCommands(app, command);
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return ExplainParseError(app, error, out, err);
  }
  const absl::StatusOr<int> exit_status = Run(flags, command, out, err, style);
  out << std::flush;
  if (exit_status.ok()) return *exit_status;
  err << ErrorLine(exit_status.status(), flags.server) << std::endl;
  return IsUsageError(exit_status.status()) ? kExitUsage : kExitFailure;
}

}  // namespace mlp

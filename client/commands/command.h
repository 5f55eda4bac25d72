// What every command gets: the server, the outputs, and how the user wants to read.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <google/protobuf/message.h>
#include <google/protobuf/timestamp.pb.h>

#include "client/client.h"
#include "client/commands/error_line.h"
#include "client/terminal/style.h"

namespace CLI {
class App;
}

namespace mlp {

struct GlobalFlags {
  std::string server = "127.0.0.1:8001";
  std::string output = "text";
  std::string timeout = "30s";
};

// Thread-compatible.
class CommandContext {
 public:
  // `client` and the streams must outlive it.
  CommandContext(const GlobalFlags& flags, Client& client, std::ostream& out, std::ostream& err,
                 const TerminalStyle& style)
      : flags_(flags), client_(client), out_(out), err_(err), style_(style) {}

  Client& client() { return client_; }
  bool json() const { return flags_.output == "json"; }
  std::ostream& out() { return out_; }
  std::ostream& err() { return err_; }
  const TerminalStyle& style() const { return style_; }
  // Lines may be redrawn: a person reads text on a terminal.
  bool live() const { return style_.terminal && !json(); }

  void PrintJson(const google::protobuf::Message& message);

  // "mlpctl", with --server where it is not the default: the start of a command to suggest.
  std::string Mlpctl() const;

 private:
  const GlobalFlags flags_;
  Client& client_;
  std::ostream& out_;
  std::ostream& err_;
  const TerminalStyle style_;
};

// Returns the exit status.
using Command = std::function<absl::StatusOr<int>(CommandContext&)>;

// Each adds its subcommands to `app`; parsing a command line sets `command` to what it asks for.
void AddDatasetsCommands(CLI::App& app, Command& command);
void AddTrainCommand(CLI::App& app, Command& command);
void AddJobsCommands(CLI::App& app, Command& command);
void AddPredictCommand(CLI::App& app, Command& command);
void AddEvaluateCommand(CLI::App& app, Command& command);
void AddModelsCommands(CLI::App& app, Command& command);
void AddBenchCommand(CLI::App& app, Command& command);
void AddAdminCommands(CLI::App& app, Command& command);

// All pages of a list: list(Request) returns a page, append(Response) takes it.
template <typename Request, typename List, typename Append>
absl::Status ForEachPage(Request request, List list, Append append) {
  request.set_page_size(1000);
  while (true) {
    auto page = list(request);
    if (!page.ok()) return page.status();
    append(*page);
    if (page->next_page_token().empty()) return absl::OkStatus();
    if (page->next_page_token() == request.page_token()) {
      return absl::InternalError("the server repeats a page of the list");
    }
    request.set_page_token(page->next_page_token());
  }
}

// 32 random hexadecimal digits: what makes a create safe to repeat.
std::string NewRequestId();

// Times as tables show them; "-" where unset.
std::string FormatTimestamp(bool has_time, const google::protobuf::Timestamp& time);

}  // namespace mlp

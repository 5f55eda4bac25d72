// mlpctl bench.

#include <nlohmann/json.hpp>

#include "client/commands/bench_flags.h"
#include "client/commands/bench_report.h"
#include "client/commands/bench_requests.h"
#include "client/commands/interrupt.h"
#include "client/commands/json_output.h"
#include "client/commands/predictions.h"
#include "client/commands/subcommand.h"
#include "client/status_macros.h"
#include "client/terminal/progress_line.h"

namespace mlp {
namespace {

void AddLoadFlags(CLI::App& app, BenchFlags& flags) {
  app.add_option("MODEL", flags.model, "MODEL (its newest version) or MODEL@VERSION")->required();
  app.add_option("--mode", flags.mode,
                 "closed: a number of calls is always outstanding, each answer sends the next; "
                 "open: calls are sent at a rate, whatever the server does")
      ->capture_default_str();
  app.add_option("--concurrency", flags.concurrency,
                 "Calls outstanding: always in a closed loop (default 16), at most in an open one "
                 "(default 256)");
  app.add_option("--rate", flags.rate, "Requests a second of an open loop");
  app.add_option("--arrivals", flags.arrivals,
                 "Of an open loop: poisson, as from many independent callers, or constant")
      ->capture_default_str();
  app.add_option("--api", flags.api, "unary: Predict; stream: StreamPredict, one a connection")
      ->capture_default_str();
  app.add_option("--connections", flags.connections, "Connections, with a thread each")
      ->capture_default_str();
}

void AddCallFlags(CLI::App& app, BenchFlags& flags) {
  app.add_option("--rows", flags.rows, "Rows a call")->capture_default_str();
  app.add_option("--dataset", flags.dataset,
                 "Stored dataset to take the rows from; by default they are made up");
  app.add_flag("--pixels", flags.pixels,
               "Send bytes instead of floats, where the model was trained on bytes");
  app.add_option("--deadline-ms", flags.deadline_ms, "Of each call, in milliseconds; 0 means none")
      ->capture_default_str();
  app.add_option("--duration", flags.duration,
                 "Seconds to measure (default 10, or without end where --requests is given)");
  app.add_option("--requests", flags.requests, "Stop after so many measured requests");
  app.add_option("--warmup", flags.warmup, "Seconds of load before the measured time")
      ->capture_default_str();
  app.add_option("--seed", flags.seed, "Fixes the made-up rows and the arrivals")
      ->capture_default_str();
}

void AddFlags(CLI::App& app, BenchFlags& flags) {
  AddLoadFlags(app, flags);
  AddCallFlags(app, flags);
  app.footer(R"(What is measured:
  Throughput is the answers without an error within the measured time. Latency is that of the calls
  that were due in it, from sending to answer. In an open loop it counts from when the call was due,
  so that a server that falls behind shows in it; a call that was due while --concurrency were
  outstanding is sent as soon as one of them returns, and counted as not in time. Where the rate was
  too high for the server, or for mlpctl, the report says so. A failed call is counted by its code
  and never repeated.

Examples:
  How fast is one caller at a time, and how many rows can the server take?
    mlpctl bench digits --concurrency 1
    mlpctl bench digits --concurrency 4 --rows 1024 --pixels
  How long do callers wait at 5,000 requests a second?
    mlpctl bench digits --mode open --rate 5000 --duration 30
  The same requests on one stream, as JSON:
    mlpctl bench digits --api stream --concurrency 64 --output json

Ctrl-C ends it early and prints what was measured (exit status 130). The exit status is 0 only where
calls were answered and none failed; calls that were sent late or not at all are no failures.)");
}

absl::StatusOr<int> Bench(CommandContext& context, const BenchFlags& flags) {
  MLP_ASSIGN_OR_RETURN(LoadOptions options, MakeLoadOptions(flags));
  MLP_ASSIGN_OR_RETURN(const v1::ModelVersion version, ResolveModel(context.client(), flags.model));
  MLP_ASSIGN_OR_RETURN(options.requests, MakeBenchRequests(context.client(), version, flags));
  options.server = context.client().server();
  const InterruptScope interrupt;
  const auto redraw = [&context, &options](const LoadProgress& progress) {
    context.out() << kRedraw << BenchProgress(progress, options, context.style()) << std::flush;
  };
  const absl::StatusOr<LoadResult> result =
      RunLoad(options, LoadClock::System(), interrupt.token(),
              context.live() ? redraw : std::function<void(const LoadProgress&)>());
  if (context.live()) context.out() << kRedraw << std::flush;
  if (!result.ok()) return result.status();
  const BenchReport report = {.model = absl::StrCat(version.model(), "@", version.version()),
                              .rows = flags.rows,
                              .pixels = flags.pixels,
                              .options = options,
                              .result = *result};
  if (context.json()) {
    context.out() << ToJsonLine(BenchJson(report)) << "\n";
  } else {
    context.out() << BenchText(report, context.style());
  }
  if (result->interrupted) return kExitInterrupted;
  const bool whole = report.failed() == 0 && result->record.latency.count() > 0 &&
                     result->record.lost == absl::StatusCode::kOk;
  return whole ? kExitSuccess : kExitFailure;
}

}  // namespace

void AddBenchCommand(CLI::App& app, Command& command) {
  AddCommand<BenchFlags>(app, "bench", "Measure how fast a model answers under load", command,
                         AddFlags, Bench);
}

}  // namespace mlp

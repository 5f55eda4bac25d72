#include "client/commands/stopping_flags.h"

#include <CLI/CLI.hpp>
#include <absl/strings/str_cat.h>
#include <absl/time/time.h>

#include "client/commands/error_line.h"
#include "client/readers/quote.h"

namespace mlp {

void AddStoppingFlags(CLI::App& app, StoppingFlags& flags) {
  app.option_defaults()->group("When to stop");
  app.add_option("--max-iterations", flags.max_iterations,
                 "lbfgs, cg: after so many; 0 means 1,000");
  app.add_option("--epochs", flags.epochs,
                 "Mini-batches: after so many passes over the training part; 0 means 30");
  app.add_option("--time-limit", flags.time_limit, "After so long, such as 90s or 5m");
  app.add_option("--cost-tolerance", flags.cost_tolerance,
                 "Converged when the cost changes by at most this share; 0 means 1e-6, and never "
                 "for mini-batches");
  app.add_option("--cost-window", flags.cost_window,
                 "... over so many iterations or epochs; 0 means 1");
  app.add_option("--gradient-tolerance", flags.gradient_tolerance,
                 "lbfgs, cg: converged when no gradient entry is larger; 0 means 1e-7");
  app.add_option("--patience", flags.patience,
                 "When the validation cost has not fallen for so many iterations or epochs; needs "
                 "a validation part");
  app.add_option("--min-improvement", flags.min_improvement,
                 "What counts as fallen: by more than this");
}

absl::Status SetStopping(const StoppingFlags& flags, v1::StoppingConfig& stopping) {
  stopping.set_max_iterations(flags.max_iterations);
  stopping.set_max_epochs(flags.epochs);
  stopping.set_cost_tolerance(flags.cost_tolerance);
  stopping.set_cost_window(flags.cost_window);
  stopping.set_gradient_tolerance(flags.gradient_tolerance);
  stopping.set_patience(flags.patience);
  stopping.set_min_improvement(flags.min_improvement);
  if (flags.time_limit.empty()) return absl::OkStatus();
  absl::Duration limit;
  if (!absl::ParseDuration(flags.time_limit, &limit) || limit <= absl::ZeroDuration() ||
      limit == absl::InfiniteDuration()) {
    return UsageError("--time-limit",
                      absl::StrCat("expected a duration such as 90s, 5m or 1h30m, got ",
                                   Quote(flags.time_limit)));
  }
  stopping.mutable_time_limit()->set_seconds(absl::IDivDuration(limit, absl::Seconds(1), &limit));
  stopping.mutable_time_limit()->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(limit)));
  return absl::OkStatus();
}

}  // namespace mlp

#include "client/commands/bench_flags.h"

#include <absl/strings/str_cat.h>

#include "client/commands/error_line.h"
#include "client/readers/quote.h"
#include "client/status_macros.h"

namespace mlp {
namespace {

constexpr int kClosedConcurrency = 16;
constexpr int kOpenConcurrency = 256;

absl::StatusOr<bool> IsSecond(absl::string_view flag, absl::string_view text,
                              absl::string_view first, absl::string_view second) {
  if (text == first || text == second) return text == second;
  return UsageError(flag, absl::StrCat("expected ", first, " or ", second, ", got ", Quote(text)));
}

// Not so where the value is NaN, too.
absl::Status CheckRange(absl::string_view flag, double value, double least, double most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return UsageError(flag, absl::StrCat("expected ", absl::AlphaNum(least), " to ",
                                       absl::AlphaNum(most), ", got ", value));
}

}  // namespace

absl::StatusOr<LoadOptions> MakeLoadOptions(const BenchFlags& flags) {
  LoadOptions options;
  MLP_ASSIGN_OR_RETURN(options.open_loop, IsSecond("--mode", flags.mode, "closed", "open"));
  MLP_ASSIGN_OR_RETURN(options.stream, IsSecond("--api", flags.api, "unary", "stream"));
  MLP_ASSIGN_OR_RETURN(const bool poisson,
                       IsSecond("--arrivals", flags.arrivals, "constant", "poisson"));
  options.arrivals = poisson ? Arrivals::kPoisson : Arrivals::kConstant;
  MLP_RETURN_IF_ERROR(CheckRange("--rate", flags.rate, 0, 1e6));
  MLP_RETURN_IF_ERROR(CheckRange("--concurrency", flags.concurrency.value_or(1), 1, 65'536));
  MLP_RETURN_IF_ERROR(CheckRange("--connections", flags.connections, 1, 256));
  MLP_RETURN_IF_ERROR(CheckRange("--rows", flags.rows, 1, 65'536));
  MLP_RETURN_IF_ERROR(CheckRange("--duration", flags.duration.value_or(1), 0.001, 86'400));
  MLP_RETURN_IF_ERROR(CheckRange("--warmup", flags.warmup, 0, 3'600));
  MLP_RETURN_IF_ERROR(
      CheckRange("--requests", static_cast<double>(flags.requests.value_or(1)), 1, 1e15));
  MLP_RETURN_IF_ERROR(
      CheckRange("--deadline-ms", static_cast<double>(flags.deadline_ms), 0, 3'600'000));
  if (options.open_loop && flags.rate == 0) {
    return UsageError("--mode open", "needs --rate, the requests a second");
  }
  if (!options.open_loop && flags.rate > 0) return UsageError("--rate", "needs --mode open");
  options.rate = flags.rate;
  options.concurrency =
      flags.concurrency.value_or(options.open_loop ? kOpenConcurrency : kClosedConcurrency);
  options.connections = flags.connections;
  if (options.connections > options.concurrency) {
    return UsageError("--connections",
                      absl::StrCat("expected at most --concurrency, ", options.concurrency,
                                   ", got ", options.connections));
  }
  options.warmup = absl::Seconds(flags.warmup);
  if (flags.duration) {
    options.duration = absl::Seconds(*flags.duration);
  } else if (flags.requests) {
    options.duration = absl::InfiniteDuration();
  }
  options.max_calls = flags.requests.value_or(0);
  if (flags.deadline_ms > 0) options.deadline = absl::Milliseconds(flags.deadline_ms);
  options.seed = flags.seed;
  return options;
}

}  // namespace mlp

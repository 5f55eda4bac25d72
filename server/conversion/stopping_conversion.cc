#include "server/conversion/stopping_conversion.h"

#include <absl/strings/str_cat.h>
#include <absl/time/time.h>

#include "core/base/status_macros.h"
#include "server/conversion/field_errors.h"
#include "server/conversion/optimizer_conversion.h"

namespace mlp {
namespace {

using Stopping = v1::StoppingConfig;

constexpr int kDefaultMaxIterations = 1000;
constexpr int kDefaultMaxEpochs = 30;
constexpr double kDefaultCostTolerance = 1e-6;  // of full-batch optimizers; others: never
constexpr double kDefaultGradientTolerance = 1e-7;
constexpr int kDefaultCostWindow = 1;
// The range of google.protobuf.Duration: 10,000 years.
constexpr int64_t kMaxDurationSeconds = 315'576'000'000;

template <typename T>
T ValueOr(T value, T otherwise) {
  return value == T{} ? otherwise : value;
}

absl::Status RefuseUnused(const Stopping& stopping, OptimizerKind kind) {
  constexpr int kTolerance = Stopping::kCostToleranceFieldNumber;
  constexpr int kTimeLimit = Stopping::kTimeLimitFieldNumber;
  constexpr int kWindow = Stopping::kCostWindowFieldNumber;
  constexpr int kPatience = Stopping::kPatienceFieldNumber;
  constexpr int kImprovement = Stopping::kMinImprovementFieldNumber;
  const absl::string_view name = OptimizerName(kind);
  if (OnMiniBatches(kind)) {
    return RefuseUnusedFields(
        stopping, "stopping",
        {kTolerance, kTimeLimit, kWindow, kPatience, kImprovement, Stopping::kMaxEpochsFieldNumber},
        name);
  }
  return RefuseUnusedFields(
      stopping, "stopping",
      {kTolerance, kTimeLimit, kWindow, kPatience, kImprovement,
       Stopping::kMaxIterationsFieldNumber, Stopping::kGradientToleranceFieldNumber},
      name);
}

absl::StatusOr<absl::Duration> TimeLimitFromApi(const Stopping& stopping) {
  if (!stopping.has_time_limit()) return absl::InfiniteDuration();
  const int64_t seconds = stopping.time_limit().seconds();
  const int32_t nanos = stopping.time_limit().nanos();
  if (seconds < 0 || seconds > kMaxDurationSeconds || nanos < 0 || nanos > 999'999'999 ||
      (seconds == 0 && nanos == 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("stopping.time_limit: expected more than 0 s and at most ",
                     kMaxDurationSeconds, " s, got ", seconds, " s and ", nanos, " ns"));
  }
  return absl::Seconds(seconds) + absl::Nanoseconds(nanos);
}

}  // namespace

absl::StatusOr<StoppingOptions> StoppingFromApi(const Stopping& stopping, OptimizerKind kind) {
  MLP_RETURN_IF_ERROR(RefuseUnused(stopping, kind));
  StoppingOptions options;
  if (OnMiniBatches(kind)) {
    options.max_iterations = ValueOr(stopping.max_epochs(), kDefaultMaxEpochs);
    options.cost_tolerance = stopping.cost_tolerance();
  } else {
    options.max_iterations = ValueOr(stopping.max_iterations(), kDefaultMaxIterations);
    options.cost_tolerance = ValueOr(stopping.cost_tolerance(), kDefaultCostTolerance);
    options.gradient_tolerance = ValueOr(stopping.gradient_tolerance(), kDefaultGradientTolerance);
  }
  options.cost_window = ValueOr(stopping.cost_window(), kDefaultCostWindow);
  options.patience = stopping.patience();
  options.min_improvement = stopping.min_improvement();
  MLP_ASSIGN_OR_RETURN(options.time_limit, TimeLimitFromApi(stopping));
  return options;
}

void StoppingToApi(const StoppingOptions& options, OptimizerKind kind, Stopping& stopping) {
  if (OnMiniBatches(kind)) {
    stopping.set_max_epochs(options.max_iterations);
  } else {
    stopping.set_max_iterations(options.max_iterations);
    stopping.set_gradient_tolerance(options.gradient_tolerance);
  }
  stopping.set_cost_tolerance(options.cost_tolerance);
  stopping.set_cost_window(options.cost_window);
  stopping.set_patience(options.patience);
  stopping.set_min_improvement(options.min_improvement);
  if (options.time_limit == absl::InfiniteDuration()) return;
  absl::Duration rest;
  stopping.mutable_time_limit()->set_seconds(
      absl::IDivDuration(options.time_limit, absl::Seconds(1), &rest));
  stopping.mutable_time_limit()->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
}

}  // namespace mlp

#include "server/conversion/schedule_conversion.h"

#include "core/base/status_macros.h"
#include "server/conversion/field_errors.h"

namespace mlp {
namespace {

using Schedule = v1::LearningRateSchedule;

constexpr int kDefaultStepEpochs = 10;
constexpr double kDefaultStepFactor = 0.1;
constexpr double kDefaultExponentialFactor = 0.95;

}  // namespace

absl::StatusOr<ScheduleOptions> ScheduleFromApi(const Schedule& schedule) {
  constexpr char kPath[] = "optimizer.schedule";
  constexpr int kKind = Schedule::kKindFieldNumber;
  constexpr int kWarmUp = Schedule::kWarmUpEpochsFieldNumber;
  ScheduleOptions options;
  options.warm_up_epochs = schedule.warm_up_epochs();
  const auto factor_or = [&](double otherwise) {
    return schedule.factor() == 0.0 ? otherwise : schedule.factor();
  };
  switch (schedule.kind()) {
    case v1::LEARNING_RATE_SCHEDULE_KIND_UNSPECIFIED:
    case v1::LEARNING_RATE_SCHEDULE_KIND_CONSTANT:
      options.kind = ScheduleKind::kConstant;
      MLP_RETURN_IF_ERROR(RefuseUnusedFields(schedule, kPath, {kKind, kWarmUp}, "CONSTANT"));
      return options;
    case v1::LEARNING_RATE_SCHEDULE_KIND_STEP:
      options.kind = ScheduleKind::kStep;
      options.step_epochs =
          schedule.step_epochs() == 0 ? kDefaultStepEpochs : schedule.step_epochs();
      options.factor = factor_or(kDefaultStepFactor);
      MLP_RETURN_IF_ERROR(RefuseUnusedFields(
          schedule, kPath,
          {kKind, kWarmUp, Schedule::kStepEpochsFieldNumber, Schedule::kFactorFieldNumber},
          "STEP"));
      return options;
    case v1::LEARNING_RATE_SCHEDULE_KIND_EXPONENTIAL:
      options.kind = ScheduleKind::kExponential;
      options.factor = factor_or(kDefaultExponentialFactor);
      MLP_RETURN_IF_ERROR(RefuseUnusedFields(
          schedule, kPath, {kKind, kWarmUp, Schedule::kFactorFieldNumber}, "EXPONENTIAL"));
      return options;
    case v1::LEARNING_RATE_SCHEDULE_KIND_COSINE:
      options.kind = ScheduleKind::kCosine;
      options.final_fraction = schedule.final_fraction();
      MLP_RETURN_IF_ERROR(RefuseUnusedFields(
          schedule, kPath, {kKind, kWarmUp, Schedule::kFinalFractionFieldNumber}, "COSINE"));
      return options;
    default:
      return UnknownValue("optimizer.schedule.kind", "CONSTANT, STEP, EXPONENTIAL or COSINE",
                          schedule.kind());
  }
}

void ScheduleToApi(const ScheduleOptions& options, Schedule& schedule) {
  schedule.set_warm_up_epochs(options.warm_up_epochs);
  switch (options.kind) {
    case ScheduleKind::kConstant:
      schedule.set_kind(v1::LEARNING_RATE_SCHEDULE_KIND_CONSTANT);
      return;
    case ScheduleKind::kStep:
      schedule.set_kind(v1::LEARNING_RATE_SCHEDULE_KIND_STEP);
      schedule.set_step_epochs(options.step_epochs);
      schedule.set_factor(options.factor);
      return;
    case ScheduleKind::kExponential:
      schedule.set_kind(v1::LEARNING_RATE_SCHEDULE_KIND_EXPONENTIAL);
      schedule.set_factor(options.factor);
      return;
    case ScheduleKind::kCosine:
      schedule.set_kind(v1::LEARNING_RATE_SCHEDULE_KIND_COSINE);
      schedule.set_final_fraction(options.final_fraction);
      return;
  }
}

}  // namespace mlp

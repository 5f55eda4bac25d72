#include "core/train/config_checks.h"

#include <cmath>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"

namespace mlp {
namespace {

constexpr int kMaxLbfgsHistory = 100;
constexpr int kMaxIterations = 1'000'000;
constexpr int kMaxEpochs = 100'000;
constexpr int kMaxBatchSize = 65'536;
constexpr int kMaxCostWindow = 1'000;
constexpr double kMaxLearningRate = 100.0;

absl::Status ValidateSchedule(const ScheduleOptions& schedule, int max_epochs) {
  MLP_RETURN_IF_ERROR(
      CheckCount("optimizer.schedule.step_epochs", schedule.step_epochs, 1, kMaxEpochs));
  MLP_RETURN_IF_ERROR(CheckNumber("optimizer.schedule.factor", schedule.factor,
                                  schedule.factor > 0.0 && schedule.factor <= 1.0,
                                  "above 0, at most 1"));
  MLP_RETURN_IF_ERROR(CheckNumber("optimizer.schedule.final_fraction", schedule.final_fraction,
                                  schedule.final_fraction >= 0.0 && schedule.final_fraction <= 1.0,
                                  "from 0 to 1"));
  return CheckNumber("optimizer.schedule.warm_up_epochs", schedule.warm_up_epochs,
                     schedule.warm_up_epochs >= 0.0 && schedule.warm_up_epochs <= max_epochs,
                     absl::StrCat("from 0 to ", max_epochs, " (stopping.max_epochs)"));
}

absl::Status ValidateFullBatch(const OptimizerOptions& optimizer) {
  MLP_RETURN_IF_ERROR(
      CheckCount("optimizer.lbfgs_history", optimizer.lbfgs_history, 1, kMaxLbfgsHistory));
  MLP_RETURN_IF_ERROR(CheckUnset("optimizer.nesterov", !optimizer.nesterov, kFullBatch));
  MLP_RETURN_IF_ERROR(
      CheckUnset("optimizer.weight_decay", optimizer.weight_decay == 0.0, kFullBatch));
  MLP_RETURN_IF_ERROR(
      CheckUnset("optimizer.max_gradient_norm", optimizer.max_gradient_norm == 0.0, kFullBatch));
  MLP_RETURN_IF_ERROR(
      CheckUnset("optimizer.average_last_epochs", optimizer.average_last_epochs == 0, kFullBatch));
  const ScheduleOptions& schedule = optimizer.schedule;
  return CheckUnset("optimizer.schedule",
                    schedule.kind == ScheduleKind::kConstant && schedule.warm_up_epochs == 0.0,
                    kFullBatch);
}

absl::Status ValidateNesterov(const OptimizerOptions& optimizer) {
  if (!optimizer.nesterov) return absl::OkStatus();
  if (optimizer.kind != OptimizerKind::kSgd) {
    return CheckUnset("optimizer.nesterov", false, "ADAM");
  }
  return CheckNumber("optimizer.momentum", optimizer.momentum, optimizer.momentum > 0.0,
                     "above 0 for Nesterov's momentum");
}

absl::Status ValidateMiniBatch(const OptimizerOptions& optimizer, int max_epochs) {
  MLP_RETURN_IF_ERROR(CheckCount("optimizer.batch_size", optimizer.batch_size, 1, kMaxBatchSize));
  const double rate = optimizer.learning_rate;
  MLP_RETURN_IF_ERROR(CheckNumber("optimizer.learning_rate", rate,
                                  rate > 0.0 && rate <= kMaxLearningRate, "above 0, at most 100"));
  MLP_RETURN_IF_ERROR(CheckShare("optimizer.momentum", optimizer.momentum));
  MLP_RETURN_IF_ERROR(ValidateNesterov(optimizer));
  MLP_RETURN_IF_ERROR(CheckShare("optimizer.beta1", optimizer.beta1));
  MLP_RETURN_IF_ERROR(CheckShare("optimizer.beta2", optimizer.beta2));
  MLP_RETURN_IF_ERROR(
      CheckNumber("optimizer.epsilon", optimizer.epsilon, optimizer.epsilon > 0.0, "above 0"));
  MLP_RETURN_IF_ERROR(CheckShare("optimizer.weight_decay", optimizer.weight_decay));
  if (optimizer.kind == OptimizerKind::kAdam) {
    MLP_RETURN_IF_ERROR(
        CheckUnset("optimizer.weight_decay", optimizer.weight_decay == 0.0, "ADAM"));
  }
  MLP_RETURN_IF_ERROR(CheckNotNegative("optimizer.max_gradient_norm", optimizer.max_gradient_norm));
  MLP_RETURN_IF_ERROR(
      CheckCount("optimizer.average_last_epochs", optimizer.average_last_epochs, 0, max_epochs));
  return ValidateSchedule(optimizer.schedule, max_epochs);
}

}  // namespace

absl::Status CheckNumber(absl::string_view field, double value, bool ok,
                         absl::string_view expected) {
  if (std::isfinite(value) && ok) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": expected a finite number ", expected, ", got ", value));
}

absl::Status CheckNotNegative(absl::string_view field, double value) {
  return CheckNumber(field, value, value >= 0.0, "of at least 0");
}

absl::Status CheckShare(absl::string_view field, double value) {
  return CheckNumber(field, value, value >= 0.0 && value < 1.0, "of at least 0, below 1");
}

absl::Status CheckUnset(absl::string_view field, bool unset, absl::string_view who) {
  if (unset) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": expected it unset, as ", who, " has no use for it"));
}

absl::Status CheckCount(absl::string_view field, int value, int least, int most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": expected ", least, " to ", most, ", got ", value));
}

absl::Status ValidateOptimizer(const OptimizerOptions& optimizer, int max_epochs) {
  return OnMiniBatches(optimizer.kind) ? ValidateMiniBatch(optimizer, max_epochs)
                                       : ValidateFullBatch(optimizer);
}

absl::Status ValidateStopping(const StoppingOptions& stopping, OptimizerKind optimizer,
                              bool has_validation) {
  if (OnMiniBatches(optimizer)) {
    MLP_RETURN_IF_ERROR(CheckCount("stopping.max_epochs", stopping.max_iterations, 1, kMaxEpochs));
  } else {
    MLP_RETURN_IF_ERROR(
        CheckCount("stopping.max_iterations", stopping.max_iterations, 1, kMaxIterations));
    MLP_RETURN_IF_ERROR(
        CheckNotNegative("stopping.gradient_tolerance", stopping.gradient_tolerance));
  }
  MLP_RETURN_IF_ERROR(CheckNumber("stopping.cost_tolerance", stopping.cost_tolerance,
                                  stopping.cost_tolerance >= 0.0 && stopping.cost_tolerance <= 1.0,
                                  "from 0 to 1"));
  MLP_RETURN_IF_ERROR(CheckCount("stopping.cost_window", stopping.cost_window, 1, kMaxCostWindow));
  MLP_RETURN_IF_ERROR(CheckNotNegative("stopping.patience", stopping.patience));
  if (stopping.patience > 0 && !has_validation) {
    return absl::InvalidArgumentError(
        absl::StrCat("stopping.patience: expected 0 without a validation part (split.validation "
                     "is 0), got ",
                     stopping.patience));
  }
  MLP_RETURN_IF_ERROR(CheckNotNegative("stopping.min_improvement", stopping.min_improvement));
  if (stopping.time_limit <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(
        absl::StrCat("stopping.time_limit: expected a time above 0, got ",
                     absl::FormatDuration(stopping.time_limit)));
  }
  return absl::OkStatus();
}

absl::Status ValidateRegularization(const RegularizationOptions& regularization,
                                    OptimizerKind optimizer, size_t hidden_layers) {
  MLP_RETURN_IF_ERROR(CheckNotNegative("regularization.l1", regularization.l1));
  const std::vector<double>& dropout = regularization.dropout;
  if (!dropout.empty() && dropout.size() != hidden_layers) {
    return absl::InvalidArgumentError(
        absl::StrCat("regularization.dropout: expected none or one for each of ", hidden_layers,
                     " hidden layers, got ", dropout.size()));
  }
  for (size_t l = 0; l < dropout.size(); ++l) {
    MLP_RETURN_IF_ERROR(CheckShare(absl::StrCat("regularization.dropout[", l, "]"), dropout[l]));
  }
  MLP_RETURN_IF_ERROR(CheckShare("regularization.input_dropout", regularization.input_dropout));
  MLP_RETURN_IF_ERROR(CheckNotNegative("regularization.max_norm", regularization.max_norm));
  if (OnMiniBatches(optimizer)) return absl::OkStatus();
  return CheckUnset("regularization", regularization == RegularizationOptions(), kFullBatch);
}

}  // namespace mlp

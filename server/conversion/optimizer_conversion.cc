#include "server/conversion/optimizer_conversion.h"

#include "core/base/status_macros.h"
#include "server/conversion/field_errors.h"
#include "server/conversion/schedule_conversion.h"

namespace mlp {
namespace {

using Optimizer = v1::OptimizerConfig;

constexpr int kDefaultHistory = 20;
constexpr int kDefaultBatchSize = 128;
constexpr double kDefaultSgdRate = 0.1;
constexpr double kDefaultAdamRate = 0.001;
constexpr double kDefaultMomentum = 0.9;
constexpr double kDefaultBeta1 = 0.9;
constexpr double kDefaultBeta2 = 0.999;
constexpr double kDefaultEpsilon = 1e-8;
constexpr double kDefaultAdamWDecay = 0.01;

absl::StatusOr<OptimizerKind> KindFromApi(v1::OptimizerKind kind) {
  switch (kind) {
    case v1::OPTIMIZER_KIND_UNSPECIFIED:
    case v1::OPTIMIZER_KIND_LBFGS:
      return OptimizerKind::kLbfgs;
    case v1::OPTIMIZER_KIND_CONJUGATE_GRADIENT:
      return OptimizerKind::kConjugateGradient;
    case v1::OPTIMIZER_KIND_SGD:
      return OptimizerKind::kSgd;
    case v1::OPTIMIZER_KIND_ADAM:
      return OptimizerKind::kAdam;
    case v1::OPTIMIZER_KIND_ADAMW:
      return OptimizerKind::kAdamW;
    default:
      return UnknownValue("optimizer.kind", "LBFGS, CONJUGATE_GRADIENT, SGD, ADAM or ADAMW", kind);
  }
}

v1::OptimizerKind KindToApi(OptimizerKind kind) {
  switch (kind) {
    case OptimizerKind::kLbfgs:
      return v1::OPTIMIZER_KIND_LBFGS;
    case OptimizerKind::kConjugateGradient:
      return v1::OPTIMIZER_KIND_CONJUGATE_GRADIENT;
    case OptimizerKind::kSgd:
      return v1::OPTIMIZER_KIND_SGD;
    case OptimizerKind::kAdam:
      return v1::OPTIMIZER_KIND_ADAM;
    case OptimizerKind::kAdamW:
      return v1::OPTIMIZER_KIND_ADAMW;
  }
  return v1::OPTIMIZER_KIND_UNSPECIFIED;
}

absl::Status RefuseUnused(const Optimizer& optimizer, OptimizerKind kind) {
  const auto refuse_all_but = [&](std::initializer_list<int> used) {
    return RefuseUnusedFields(optimizer, "optimizer", used, OptimizerName(kind));
  };
  constexpr int kKind = Optimizer::kKindFieldNumber;
  constexpr int kBatch = Optimizer::kBatchSizeFieldNumber;
  constexpr int kRate = Optimizer::kLearningRateFieldNumber;
  constexpr int kSchedule = Optimizer::kScheduleFieldNumber;
  constexpr int kClip = Optimizer::kMaxGradientNormFieldNumber;
  constexpr int kAverage = Optimizer::kAverageLastEpochsFieldNumber;
  constexpr int kHistory = Optimizer::kLbfgsHistoryFieldNumber;
  constexpr int kMomentum = Optimizer::kMomentumFieldNumber;
  constexpr int kNesterov = Optimizer::kNesterovFieldNumber;
  constexpr int kBeta1 = Optimizer::kBeta1FieldNumber;
  constexpr int kBeta2 = Optimizer::kBeta2FieldNumber;
  constexpr int kEpsilon = Optimizer::kEpsilonFieldNumber;
  constexpr int kDecay = Optimizer::kWeightDecayFieldNumber;
  switch (kind) {
    case OptimizerKind::kLbfgs:
      return refuse_all_but({kKind, kHistory});
    case OptimizerKind::kConjugateGradient:
      return refuse_all_but({kKind});
    case OptimizerKind::kSgd:
      return refuse_all_but(
          {kKind, kBatch, kRate, kSchedule, kClip, kAverage, kMomentum, kNesterov, kDecay});
    case OptimizerKind::kAdam:
      return refuse_all_but(
          {kKind, kBatch, kRate, kSchedule, kClip, kAverage, kBeta1, kBeta2, kEpsilon});
    case OptimizerKind::kAdamW:
      return refuse_all_but(
          {kKind, kBatch, kRate, kSchedule, kClip, kAverage, kBeta1, kBeta2, kEpsilon, kDecay});
  }
  return absl::OkStatus();
}

absl::Status MiniBatchFieldsFromApi(const Optimizer& optimizer, OptimizerOptions& options) {
  const bool sgd = options.kind == OptimizerKind::kSgd;
  options.batch_size = optimizer.batch_size() == 0 ? kDefaultBatchSize : optimizer.batch_size();
  options.learning_rate = optimizer.learning_rate() != 0.0 ? optimizer.learning_rate()
                          : sgd                            ? kDefaultSgdRate
                                                           : kDefaultAdamRate;
  options.momentum = optimizer.has_momentum() ? optimizer.momentum() : kDefaultMomentum;
  options.nesterov = optimizer.nesterov();
  options.beta1 = optimizer.has_beta1() ? optimizer.beta1() : kDefaultBeta1;
  options.beta2 = optimizer.has_beta2() ? optimizer.beta2() : kDefaultBeta2;
  options.epsilon = optimizer.epsilon() == 0.0 ? kDefaultEpsilon : optimizer.epsilon();
  options.weight_decay = optimizer.has_weight_decay()            ? optimizer.weight_decay()
                         : options.kind == OptimizerKind::kAdamW ? kDefaultAdamWDecay
                                                                 : 0.0;
  options.max_gradient_norm = optimizer.max_gradient_norm();
  options.average_last_epochs = optimizer.average_last_epochs();
  MLP_ASSIGN_OR_RETURN(options.schedule, ScheduleFromApi(optimizer.schedule()));
  return absl::OkStatus();
}

}  // namespace

absl::string_view OptimizerName(OptimizerKind kind) {
  switch (kind) {
    case OptimizerKind::kLbfgs:
      return "LBFGS";
    case OptimizerKind::kConjugateGradient:
      return "CONJUGATE_GRADIENT";
    case OptimizerKind::kSgd:
      return "SGD";
    case OptimizerKind::kAdam:
      return "ADAM";
    case OptimizerKind::kAdamW:
      return "ADAMW";
  }
  return "";
}

absl::StatusOr<OptimizerOptions> OptimizerFromApi(const v1::OptimizerConfig& optimizer) {
  OptimizerOptions options;
  MLP_ASSIGN_OR_RETURN(options.kind, KindFromApi(optimizer.kind()));
  MLP_RETURN_IF_ERROR(RefuseUnused(optimizer, options.kind));
  options.lbfgs_history =
      optimizer.lbfgs_history() == 0 ? kDefaultHistory : optimizer.lbfgs_history();
  if (OnMiniBatches(options.kind)) MLP_RETURN_IF_ERROR(MiniBatchFieldsFromApi(optimizer, options));
  return options;
}

void OptimizerToApi(const OptimizerOptions& options, v1::OptimizerConfig& optimizer) {
  optimizer.set_kind(KindToApi(options.kind));
  if (options.kind == OptimizerKind::kLbfgs) optimizer.set_lbfgs_history(options.lbfgs_history);
  if (!OnMiniBatches(options.kind)) return;
  optimizer.set_batch_size(options.batch_size);
  optimizer.set_learning_rate(options.learning_rate);
  if (options.kind == OptimizerKind::kSgd) {
    optimizer.set_momentum(options.momentum);
    optimizer.set_nesterov(options.nesterov);
  } else {
    optimizer.set_beta1(options.beta1);
    optimizer.set_beta2(options.beta2);
    optimizer.set_epsilon(options.epsilon);
  }
  if (options.kind != OptimizerKind::kAdam) optimizer.set_weight_decay(options.weight_decay);
  ScheduleToApi(options.schedule, *optimizer.mutable_schedule());
  optimizer.set_max_gradient_norm(options.max_gradient_norm);
  optimizer.set_average_last_epochs(options.average_last_epochs);
}

}  // namespace mlp

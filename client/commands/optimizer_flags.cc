#include "client/commands/optimizer_flags.h"

#include <CLI/CLI.hpp>

#include "client/commands/flag_values.h"
#include "client/status_macros.h"

namespace mlp {
namespace {

constexpr Choice<v1::OptimizerKind> kOptimizers[] = {{"lbfgs", v1::OPTIMIZER_KIND_LBFGS},
                                                     {"cg", v1::OPTIMIZER_KIND_CONJUGATE_GRADIENT},
                                                     {"sgd", v1::OPTIMIZER_KIND_SGD},
                                                     {"adam", v1::OPTIMIZER_KIND_ADAM},
                                                     {"adamw", v1::OPTIMIZER_KIND_ADAMW}};
constexpr Choice<v1::LearningRateScheduleKind> kSchedules[] = {
    {"constant", v1::LEARNING_RATE_SCHEDULE_KIND_CONSTANT},
    {"step", v1::LEARNING_RATE_SCHEDULE_KIND_STEP},
    {"exponential", v1::LEARNING_RATE_SCHEDULE_KIND_EXPONENTIAL},
    {"cosine", v1::LEARNING_RATE_SCHEDULE_KIND_COSINE}};

absl::Status SetSchedule(const OptimizerFlags& flags, v1::LearningRateSchedule& schedule) {
  if (!flags.schedule.empty()) {
    MLP_ASSIGN_OR_RETURN(
        const v1::LearningRateScheduleKind kind,
        ParseChoice<v1::LearningRateScheduleKind>("--schedule", flags.schedule, kSchedules));
    schedule.set_kind(kind);
  }
  schedule.set_step_epochs(flags.step_epochs);
  schedule.set_factor(flags.decay_factor);
  schedule.set_final_fraction(flags.final_fraction);
  schedule.set_warm_up_epochs(flags.warm_up_epochs);
  return absl::OkStatus();
}

void AddMiniBatchFlags(CLI::App& app, OptimizerFlags& flags) {
  app.option_defaults()->group("Mini-batches: sgd, adam, adamw");
  app.add_option("--batch-size", flags.batch_size, "Examples a step; 0 means 128");
  app.add_option("--learning-rate", flags.learning_rate,
                 "0 means 0.1 for sgd, 0.001 for adam and adamw");
  app.add_option("--momentum", flags.momentum, "sgd: 0 is none; by default 0.9");
  app.add_flag("--nesterov", flags.nesterov, "sgd: Nesterov's momentum");
  app.add_option("--beta1", flags.beta1,
                 "adam, adamw: decay of the mean of the gradient; by default 0.9");
  app.add_option("--beta2", flags.beta2, "adam, adamw: the same of its square; by default 0.999");
  app.add_option("--epsilon", flags.epsilon,
                 "adam, adamw: added to the root of the mean square; 0 means 1e-8");
  app.add_option("--weight-decay", flags.weight_decay,
                 "sgd, adamw: a step takes learning rate times this of each weight; by default 0 "
                 "for sgd, 0.01 for adamw");
  app.add_option("--clip", flags.clip, "Shorten longer gradients to this norm; 0 is never");
  app.add_option("--average-epochs", flags.average_epochs,
                 "Publish the mean of the weights at the ends of the last epochs, so many");
  app.add_option("--schedule", flags.schedule,
                 "Of the learning rate: constant (default), step, exponential, cosine");
  app.add_option("--step-epochs", flags.step_epochs,
                 "step: epochs from one step to the next; 0 means 10");
  app.add_option("--decay-factor", flags.decay_factor,
                 "step, exponential: times this each step or epoch; 0 means 0.1 and 0.95");
  app.add_option("--final-fraction", flags.final_fraction,
                 "cosine: share of the learning rate that the last epoch has");
  app.add_option("--warm-up-epochs", flags.warm_up_epochs,
                 "Let the learning rate rise from 0 over so many epochs first");
}

}  // namespace

void AddOptimizerFlags(CLI::App& app, OptimizerFlags& flags) {
  app.option_defaults()->group("Optimizer");
  app.add_option("--optimizer", flags.optimizer,
                 "lbfgs (default) or cg (conjugate gradient) on the whole training part; sgd, adam "
                 "or adamw on mini-batches");
  app.add_option("--history", flags.history, "lbfgs: steps remembered; 0 means 20");
  AddMiniBatchFlags(app, flags);
}

absl::Status SetOptimizer(const OptimizerFlags& flags, v1::OptimizerConfig& optimizer) {
  if (!flags.optimizer.empty()) {
    MLP_ASSIGN_OR_RETURN(
        const v1::OptimizerKind kind,
        ParseChoice<v1::OptimizerKind>("--optimizer", flags.optimizer, kOptimizers));
    optimizer.set_kind(kind);
  }
  optimizer.set_lbfgs_history(flags.history);
  optimizer.set_batch_size(flags.batch_size);
  optimizer.set_learning_rate(flags.learning_rate);
  if (flags.momentum) optimizer.set_momentum(*flags.momentum);
  optimizer.set_nesterov(flags.nesterov);
  if (flags.beta1) optimizer.set_beta1(*flags.beta1);
  if (flags.beta2) optimizer.set_beta2(*flags.beta2);
  optimizer.set_epsilon(flags.epsilon);
  if (flags.weight_decay) optimizer.set_weight_decay(*flags.weight_decay);
  optimizer.set_max_gradient_norm(flags.clip);
  optimizer.set_average_last_epochs(flags.average_epochs);
  return SetSchedule(flags, *optimizer.mutable_schedule());
}

}  // namespace mlp

#include "client/commands/field_flags.h"

#include <absl/strings/str_cat.h>

namespace mlp {
namespace {

// Fields of a CreateTrainingJobRequest and the flags that set them.
struct FieldFlag {
  absl::string_view field;
  absl::string_view flag;
};
constexpr FieldFlag kFieldFlags[] = {
    {"model", "MODEL"},
    {"dataset", "--dataset"},
    {"request_id", "--request-id"},
    {"publish.aliases", "--alias"},
    {"publish.min_test_accuracy", "--min-test-accuracy"},
    {"publish.better_than", "--better-than"},
    {"config.network.layers", "--layers"},
    {"config.network.activations", "--activation"},
    {"config.network.cost", "--cost"},
    {"config.network.initialization", "--init"},
    {"config.network.initialization_epsilon", "--init-epsilon"},
    {"config.initial_model", "--from"},
    {"config.lambda", "--lambda"},
    {"config.split", "--split"},
    {"config.split.training", "--split"},
    {"config.split.validation", "--split"},
    {"config.split.test", "--split"},
    {"config.split.plain", "--plain"},
    {"config.scaling", "--scaling"},
    {"config.seed", "--seed"},
    {"config.check_gradient", "--check-gradient"},
    {"config.class_weights", "--class-weights"},
    {"config.class_weights.weights", "--class-weights"},
    {"config.class_weights.balanced", "--class-weights"},
    {"config.optimizer.kind", "--optimizer"},
    {"config.optimizer.lbfgs_history", "--history"},
    {"config.optimizer.batch_size", "--batch-size"},
    {"config.optimizer.learning_rate", "--learning-rate"},
    {"config.optimizer.momentum", "--momentum"},
    {"config.optimizer.nesterov", "--nesterov"},
    {"config.optimizer.beta1", "--beta1"},
    {"config.optimizer.beta2", "--beta2"},
    {"config.optimizer.epsilon", "--epsilon"},
    {"config.optimizer.weight_decay", "--weight-decay"},
    {"config.optimizer.max_gradient_norm", "--clip"},
    {"config.optimizer.average_last_epochs", "--average-epochs"},
    {"config.optimizer.schedule", "--schedule and its flags"},
    {"config.optimizer.schedule.kind", "--schedule"},
    {"config.optimizer.schedule.step_epochs", "--step-epochs"},
    {"config.optimizer.schedule.factor", "--decay-factor"},
    {"config.optimizer.schedule.final_fraction", "--final-fraction"},
    {"config.optimizer.schedule.warm_up_epochs", "--warm-up-epochs"},
    {"config.regularization.l1", "--l1"},
    {"config.regularization.dropout", "--dropout"},
    {"config.regularization.input_dropout", "--input-dropout"},
    {"config.regularization.max_norm", "--max-norm"},
    {"config.augmentation", "--elastic, --rotate, --scale, --shear, --translate"},
    {"config.augmentation.elastic_alpha", "--elastic"},
    {"config.augmentation.elastic_sigma", "--elastic"},
    {"config.augmentation.max_rotation_degrees", "--rotate"},
    {"config.augmentation.max_scale", "--scale"},
    {"config.augmentation.max_shear", "--shear"},
    {"config.augmentation.max_translation", "--translate"},
    {"config.stopping.max_iterations", "--max-iterations"},
    {"config.stopping.max_epochs", "--epochs"},
    {"config.stopping.cost_tolerance", "--cost-tolerance"},
    {"config.stopping.cost_window", "--cost-window"},
    {"config.stopping.gradient_tolerance", "--gradient-tolerance"},
    {"config.stopping.patience", "--patience"},
    {"config.stopping.min_improvement", "--min-improvement"},
    {"config.stopping.time_limit", "--time-limit"},
    {"config.study.k_fold.folds", "--k-fold"},
    {"config.study.lambda_curve.lambdas", "--lambda-curve"},
    {"config.study.learning_curve.fractions", "--learning-curve"},
    {"config.study.search.parameters", "--search"},
    {"config.study.search.max_runs", "--runs"},
};

}  // namespace

absl::Status NameTheFlag(const absl::Status& status) {
  const absl::string_view message = status.message();
  const size_t end = message.find_first_of(":[");
  if (end == absl::string_view::npos) return status;
  for (const FieldFlag& known : kFieldFlags) {
    if (message.substr(0, end) != known.field) continue;
    return absl::Status(status.code(), absl::StrCat(known.flag, message.substr(end)));
  }
  return status;
}

}  // namespace mlp

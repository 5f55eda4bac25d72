#include "server/conversion/regularization_conversion.h"

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "server/conversion/field_errors.h"
#include "server/conversion/optimizer_conversion.h"

namespace mlp {
namespace {

constexpr double kDefaultElasticSigma = 4.0;

absl::StatusOr<std::vector<double>> DropoutFromApi(const v1::RegularizationConfig& message,
                                                   const Topology& topology) {
  const auto hidden = topology.layers.size() - 1;
  const auto given = static_cast<size_t>(message.dropout_size());
  if (given == 0) return std::vector<double>();
  if (hidden == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("regularization.dropout: expected none, as there is no hidden layer, got ",
                     given, " entries"));
  }
  if (given == 1) return std::vector<double>(hidden, message.dropout(0));
  if (given == hidden) {
    return std::vector<double>(message.dropout().begin(), message.dropout().end());
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "regularization.dropout: ", ExpectedForHiddenLayers(static_cast<int64_t>(hidden)), ", got ",
      given));
}

AugmentationOptions AugmentationFromApi(const v1::AugmentationConfig& message) {
  AugmentationOptions options;
  options.elastic_alpha = message.elastic_alpha();
  options.elastic_sigma =
      message.elastic_sigma() == 0.0 ? kDefaultElasticSigma : message.elastic_sigma();
  options.max_rotation_degrees = message.max_rotation_degrees();
  options.max_scale = message.max_scale();
  options.max_shear = message.max_shear();
  options.max_translation = message.max_translation();
  return options;
}

void AugmentationToApi(const AugmentationOptions& options, v1::AugmentationConfig& message) {
  message.set_elastic_alpha(options.elastic_alpha);
  message.set_elastic_sigma(options.elastic_sigma);
  message.set_max_rotation_degrees(options.max_rotation_degrees);
  message.set_max_scale(options.max_scale);
  message.set_max_shear(options.max_shear);
  message.set_max_translation(options.max_translation);
}

}  // namespace

absl::Status RegularizationFromApi(const v1::TrainingConfig& message, TrainingConfig& config) {
  const v1::ClassWeightsConfig& class_weights = message.class_weights();
  config.class_weights.weights.assign(class_weights.weights().begin(),
                                      class_weights.weights().end());
  config.class_weights.balanced = class_weights.balanced();
  if (!OnMiniBatches(config.optimizer.kind)) {
    const absl::string_view name = OptimizerName(config.optimizer.kind);
    MLP_RETURN_IF_ERROR(RefuseUnusedFields(message.regularization(), "regularization", {}, name));
    return RefuseUnusedFields(message.augmentation(), "augmentation", {}, name);
  }
  RegularizationOptions& regularization = config.regularization;
  regularization.l1 = message.regularization().l1();
  MLP_ASSIGN_OR_RETURN(regularization.dropout,
                       DropoutFromApi(message.regularization(), config.topology));
  regularization.input_dropout = message.regularization().input_dropout();
  regularization.max_norm = message.regularization().max_norm();
  config.augmentation = AugmentationFromApi(message.augmentation());
  return absl::OkStatus();
}

void RegularizationToApi(const TrainingConfig& config, v1::TrainingConfig& message) {
  if (config.class_weights.balanced || !config.class_weights.weights.empty()) {
    v1::ClassWeightsConfig& class_weights = *message.mutable_class_weights();
    class_weights.mutable_weights()->Add(config.class_weights.weights.begin(),
                                         config.class_weights.weights.end());
    class_weights.set_balanced(config.class_weights.balanced);
  }
  if (!OnMiniBatches(config.optimizer.kind)) return;
  v1::RegularizationConfig& regularization = *message.mutable_regularization();
  regularization.set_l1(config.regularization.l1);
  regularization.mutable_dropout()->Add(config.regularization.dropout.begin(),
                                        config.regularization.dropout.end());
  regularization.set_input_dropout(config.regularization.input_dropout);
  regularization.set_max_norm(config.regularization.max_norm);
  if (config.augmentation != AugmentationOptions()) {
    AugmentationToApi(config.augmentation, *message.mutable_augmentation());
  }
}

}  // namespace mlp

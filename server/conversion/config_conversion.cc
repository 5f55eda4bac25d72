#include "server/conversion/config_conversion.h"

#include <string>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "server/conversion/field_errors.h"
#include "server/conversion/network_conversion.h"
#include "server/conversion/optimizer_conversion.h"
#include "server/conversion/regularization_conversion.h"
#include "server/conversion/stopping_conversion.h"

namespace mlp {
namespace {

SplitOptions SplitFromApi(const v1::SplitConfig& split, int64_t seed) {
  SplitOptions options;
  options.stratified = !split.plain();
  options.seed = seed;
  const bool unset = split.training() == 0.0 && split.validation() == 0.0 && split.test() == 0.0;
  if (unset) return options;
  options.training = split.training();
  options.validation = split.validation();
  options.test = split.test();
  return options;
}

absl::StatusOr<Scaling> ScalingFromApi(v1::Scaling scaling, v1::FeatureType feature_type) {
  switch (scaling) {
    case v1::SCALING_UNSPECIFIED:
      return feature_type == v1::FEATURE_TYPE_UINT8 ? Scaling::kRange : Scaling::kStandard;
    case v1::SCALING_NONE:
      return Scaling::kNone;
    case v1::SCALING_RANGE:
      return Scaling::kRange;
    case v1::SCALING_MIN_MAX:
      return Scaling::kMinMax;
    case v1::SCALING_STANDARD:
      return Scaling::kStandard;
    default:
      return UnknownValue("scaling", "NONE, RANGE, MIN_MAX or STANDARD", scaling);
  }
}

v1::Scaling ScalingToApi(Scaling scaling) {
  switch (scaling) {
    case Scaling::kNone:
      return v1::SCALING_NONE;
    case Scaling::kRange:
      return v1::SCALING_RANGE;
    case Scaling::kMinMax:
      return v1::SCALING_MIN_MAX;
    case Scaling::kStandard:
      return v1::SCALING_STANDARD;
  }
  return v1::SCALING_UNSPECIFIED;
}

void SplitToApi(const SplitOptions& options, v1::SplitConfig& split) {
  split.set_training(options.training);
  split.set_validation(options.validation);
  split.set_test(options.test);
  split.set_plain(!options.stratified);
}

// Weights and scaling come from the model that training starts from: nothing else may be asked for.
absl::Status CheckInitialModelAlone(const v1::TrainingConfig& config) {
  if (config.initial_model().empty()) return absl::OkStatus();
  const auto refuse = [](absl::string_view field, absl::string_view what) {
    return absl::InvalidArgumentError(
        absl::StrCat(field, ": expected unset, as initial_model brings the ", what));
  };
  if (config.scaling() != v1::SCALING_UNSPECIFIED) return refuse("scaling", "scaling");
  if (config.network().initialization() != v1::INITIALIZATION_UNSPECIFIED) {
    return refuse("network.initialization", "weights");
  }
  if (config.network().initialization_epsilon() != 0.0) {
    return refuse("network.initialization_epsilon", "weights");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TrainingConfig> TrainingConfigFromApi(const v1::TrainingConfig& config,
                                                     v1::FeatureType feature_type) {
  TrainingConfig result;
  MLP_RETURN_IF_ERROR(CheckInitialModelAlone(config));
  MLP_RETURN_IF_ERROR(NetworkFromApi(config.network(), result));
  result.lambda = config.lambda();
  result.split = SplitFromApi(config.split(), config.seed());
  MLP_ASSIGN_OR_RETURN(result.scaling, ScalingFromApi(config.scaling(), feature_type));
  MLP_ASSIGN_OR_RETURN(result.optimizer, OptimizerFromApi(config.optimizer()));
  MLP_ASSIGN_OR_RETURN(result.stopping, StoppingFromApi(config.stopping(), result.optimizer.kind));
  MLP_RETURN_IF_ERROR(RegularizationFromApi(config, result));
  result.seed = config.seed();
  result.check_gradient = config.check_gradient();
  return result;
}

v1::TrainingConfig TrainingConfigToApi(const TrainingConfig& config) {
  v1::TrainingConfig result;
  NetworkToApi(config, *result.mutable_network());
  result.set_lambda(config.lambda);
  SplitToApi(config.split, *result.mutable_split());
  result.set_scaling(ScalingToApi(config.scaling));
  OptimizerToApi(config.optimizer, *result.mutable_optimizer());
  StoppingToApi(config.stopping, config.optimizer.kind, *result.mutable_stopping());
  result.set_seed(config.seed);
  result.set_check_gradient(config.check_gradient);
  RegularizationToApi(config, result);
  return result;
}

void SetInitialModel(absl::string_view reference, v1::TrainingConfig& config) {
  config.set_initial_model(std::string(reference));
  config.clear_scaling();
  config.mutable_network()->clear_initialization();
  config.mutable_network()->clear_initialization_epsilon();
}

}  // namespace mlp

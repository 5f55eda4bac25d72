#include "server/conversion/config_conversion.h"

#include <algorithm>
#include <utility>

#include <absl/strings/str_cat.h>
#include <absl/time/time.h>

#include "core/base/status_macros.h"

namespace mlp {
namespace {

constexpr double kDefaultEpsilon = 0.12;
constexpr int kDefaultHistory = 20;
constexpr int kDefaultMaxIterations = 1000;
constexpr double kDefaultCostTolerance = 1e-6;
constexpr double kDefaultGradientTolerance = 1e-7;
// The range of google.protobuf.Duration: 10,000 years.
constexpr int64_t kMaxDurationSeconds = 315'576'000'000;

absl::Status UnknownValue(absl::string_view field, absl::string_view expected, int got) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": expected ", expected, ", got ", got));
}

absl::StatusOr<Activation> HiddenActivation(int activation, absl::string_view field) {
  switch (activation) {
    case v1::ACTIVATION_UNSPECIFIED:
    case v1::ACTIVATION_SIGMOID:
      return Activation::kSigmoid;
    case v1::ACTIVATION_STEP:
      return Activation::kStep;
    case v1::ACTIVATION_TANH:
      return Activation::kTanh;
    case v1::ACTIVATION_RELU:
      return Activation::kRelu;
    case v1::ACTIVATION_IDENTITY:
      return Activation::kIdentity;
    case v1::ACTIVATION_SOFTMAX:
      return absl::InvalidArgumentError(absl::StrCat(
          field,
          ": expected STEP, SIGMOID, TANH, RELU or IDENTITY for a hidden layer, got SOFTMAX"));
    default:
      return UnknownValue(field, "STEP, SIGMOID, TANH, RELU or IDENTITY", activation);
  }
}

absl::StatusOr<CostKind> CostFromApi(v1::Cost cost) {
  switch (cost) {
    case v1::COST_UNSPECIFIED:
    case v1::COST_SIGMOID_CROSS_ENTROPY:
      return CostKind::kSigmoidCrossEntropy;
    case v1::COST_SOFTMAX_CROSS_ENTROPY:
      return CostKind::kSoftmaxCrossEntropy;
    default:
      return UnknownValue("network.cost", "SIGMOID_CROSS_ENTROPY or SOFTMAX_CROSS_ENTROPY", cost);
  }
}

absl::StatusOr<Topology> TopologyFromApi(const v1::NetworkConfig& network, CostKind cost) {
  const int entries = network.layers_size();
  if (entries < 2 || entries > kMaxLayers + 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("network.layers: expected 2 to ", kMaxLayers + 1,
                     " entries (inputs, hidden layers, outputs), got ", entries));
  }
  const int hidden = entries - 2;
  const int given = network.activations_size();
  if (given > 1 && given != hidden) {
    return absl::InvalidArgumentError(absl::StrCat("network.activations: expected none, 1 or ",
                                                   hidden, " entries, one a hidden layer, got ",
                                                   given));
  }
  Topology topology;
  topology.inputs = network.layers(0);
  // A single one serves all hidden layers; it is checked even where there are none.
  Activation activation = Activation::kSigmoid;
  for (int i = 0; i < std::max(hidden, given); ++i) {
    if (i < given) {
      MLP_ASSIGN_OR_RETURN(
          activation,
          HiddenActivation(network.activations(i), absl::StrCat("network.activations[", i, "]")));
    }
    if (i < hidden) topology.layers.push_back({network.layers(i + 1), activation});
  }
  topology.layers.push_back({network.layers(entries - 1), OutputActivation(cost)});
  return topology;
}

// HE where every hidden layer is made of relu units.
InitializationKind DefaultInitialization(const Topology& topology) {
  const auto hidden_end = topology.layers.end() - 1;
  const bool relu = topology.layers.begin() != hidden_end &&
                    std::all_of(topology.layers.begin(), hidden_end, [](const LayerSpec& layer) {
                      return layer.activation == Activation::kRelu;
                    });
  return relu ? InitializationKind::kHe : InitializationKind::kGlorot;
}

absl::StatusOr<InitializationOptions> InitializationFromApi(const v1::NetworkConfig& network,
                                                            const Topology& topology) {
  InitializationOptions options;
  options.epsilon =
      network.initialization_epsilon() == 0.0 ? kDefaultEpsilon : network.initialization_epsilon();
  switch (network.initialization()) {
    case v1::INITIALIZATION_UNSPECIFIED:
      options.kind = DefaultInitialization(topology);
      return options;
    case v1::INITIALIZATION_UNIFORM:
      options.kind = InitializationKind::kUniform;
      return options;
    case v1::INITIALIZATION_GLOROT:
      options.kind = InitializationKind::kGlorot;
      return options;
    case v1::INITIALIZATION_HE:
      options.kind = InitializationKind::kHe;
      return options;
    default:
      return UnknownValue("network.initialization", "UNIFORM, GLOROT or HE",
                          network.initialization());
  }
}

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

absl::StatusOr<OptimizerOptions> OptimizerFromApi(const v1::OptimizerConfig& optimizer) {
  OptimizerOptions options;
  options.lbfgs_history =
      optimizer.lbfgs_history() == 0 ? kDefaultHistory : optimizer.lbfgs_history();
  switch (optimizer.kind()) {
    case v1::OPTIMIZER_KIND_UNSPECIFIED:
    case v1::OPTIMIZER_KIND_LBFGS:
      options.kind = OptimizerKind::kLbfgs;
      return options;
    case v1::OPTIMIZER_KIND_CONJUGATE_GRADIENT:
      options.kind = OptimizerKind::kConjugateGradient;
      return options;
    default:
      return UnknownValue("optimizer.kind", "LBFGS or CONJUGATE_GRADIENT", optimizer.kind());
  }
}

absl::StatusOr<StoppingOptions> StoppingFromApi(const v1::StoppingConfig& stopping) {
  StoppingOptions options;
  options.max_iterations =
      stopping.max_iterations() == 0 ? kDefaultMaxIterations : stopping.max_iterations();
  options.cost_tolerance =
      stopping.cost_tolerance() == 0.0 ? kDefaultCostTolerance : stopping.cost_tolerance();
  options.gradient_tolerance = stopping.gradient_tolerance() == 0.0 ? kDefaultGradientTolerance
                                                                    : stopping.gradient_tolerance();
  if (!stopping.has_time_limit()) return options;

  const int64_t seconds = stopping.time_limit().seconds();
  const int32_t nanos = stopping.time_limit().nanos();
  if (seconds < 0 || seconds > kMaxDurationSeconds || nanos < 0 || nanos > 999'999'999 ||
      (seconds == 0 && nanos == 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("stopping.time_limit: expected more than 0 s and at most ",
                     kMaxDurationSeconds, " s, got ", seconds, " s and ", nanos, " ns"));
  }
  options.time_limit = absl::Seconds(seconds) + absl::Nanoseconds(nanos);
  return options;
}

v1::Activation ActivationToApi(Activation activation) {
  switch (activation) {
    case Activation::kStep:
      return v1::ACTIVATION_STEP;
    case Activation::kSigmoid:
      return v1::ACTIVATION_SIGMOID;
    case Activation::kTanh:
      return v1::ACTIVATION_TANH;
    case Activation::kRelu:
      return v1::ACTIVATION_RELU;
    case Activation::kIdentity:
      return v1::ACTIVATION_IDENTITY;
    case Activation::kSoftmax:
      return v1::ACTIVATION_SOFTMAX;
  }
  return v1::ACTIVATION_UNSPECIFIED;
}

v1::Initialization InitializationToApi(InitializationKind kind) {
  switch (kind) {
    case InitializationKind::kUniform:
      return v1::INITIALIZATION_UNIFORM;
    case InitializationKind::kGlorot:
      return v1::INITIALIZATION_GLOROT;
    case InitializationKind::kHe:
      return v1::INITIALIZATION_HE;
  }
  return v1::INITIALIZATION_UNSPECIFIED;
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

v1::OptimizerKind OptimizerKindToApi(OptimizerKind kind) {
  switch (kind) {
    case OptimizerKind::kLbfgs:
      return v1::OPTIMIZER_KIND_LBFGS;
    case OptimizerKind::kConjugateGradient:
      return v1::OPTIMIZER_KIND_CONJUGATE_GRADIENT;
  }
  return v1::OPTIMIZER_KIND_UNSPECIFIED;
}

void NetworkToApi(const TrainingConfig& config, v1::NetworkConfig& network) {
  const std::vector<LayerSpec>& layers = config.topology.layers;
  network.add_layers(config.topology.inputs);
  for (const LayerSpec& layer : layers) network.add_layers(layer.units);
  for (size_t i = 0; i + 1 < layers.size(); ++i) {
    network.add_activations(ActivationToApi(layers[i].activation));
  }
  network.set_cost(config.cost == CostKind::kSigmoidCrossEntropy ? v1::COST_SIGMOID_CROSS_ENTROPY
                                                                 : v1::COST_SOFTMAX_CROSS_ENTROPY);
  network.set_initialization(InitializationToApi(config.initialization.kind));
  network.set_initialization_epsilon(config.initialization.epsilon);
}

void StoppingToApi(const StoppingOptions& options, v1::StoppingConfig& stopping) {
  stopping.set_max_iterations(options.max_iterations);
  stopping.set_cost_tolerance(options.cost_tolerance);
  stopping.set_gradient_tolerance(options.gradient_tolerance);
  if (options.time_limit == absl::InfiniteDuration()) return;
  absl::Duration rest;
  stopping.mutable_time_limit()->set_seconds(
      absl::IDivDuration(options.time_limit, absl::Seconds(1), &rest));
  stopping.mutable_time_limit()->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
}

}  // namespace

absl::StatusOr<TrainingConfig> TrainingConfigFromApi(const v1::TrainingConfig& config,
                                                     v1::FeatureType feature_type) {
  TrainingConfig result;
  MLP_ASSIGN_OR_RETURN(result.cost, CostFromApi(config.network().cost()));
  MLP_ASSIGN_OR_RETURN(result.topology, TopologyFromApi(config.network(), result.cost));
  MLP_ASSIGN_OR_RETURN(result.initialization,
                       InitializationFromApi(config.network(), result.topology));
  result.lambda = config.lambda();
  result.split = SplitFromApi(config.split(), config.seed());
  MLP_ASSIGN_OR_RETURN(result.scaling, ScalingFromApi(config.scaling(), feature_type));
  MLP_ASSIGN_OR_RETURN(result.optimizer, OptimizerFromApi(config.optimizer()));
  MLP_ASSIGN_OR_RETURN(result.stopping, StoppingFromApi(config.stopping()));
  result.seed = config.seed();
  result.check_gradient = config.check_gradient();
  return result;
}

v1::TrainingConfig TrainingConfigToApi(const TrainingConfig& config) {
  v1::TrainingConfig result;
  NetworkToApi(config, *result.mutable_network());
  result.set_lambda(config.lambda);
  result.mutable_split()->set_training(config.split.training);
  result.mutable_split()->set_validation(config.split.validation);
  result.mutable_split()->set_test(config.split.test);
  result.mutable_split()->set_plain(!config.split.stratified);
  result.set_scaling(ScalingToApi(config.scaling));
  result.mutable_optimizer()->set_kind(OptimizerKindToApi(config.optimizer.kind));
  result.mutable_optimizer()->set_lbfgs_history(config.optimizer.lbfgs_history);
  StoppingToApi(config.stopping, *result.mutable_stopping());
  result.set_seed(config.seed);
  result.set_check_gradient(config.check_gradient);
  return result;
}

}  // namespace mlp

#include "server/conversion/network_conversion.h"

#include <algorithm>
#include <vector>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "server/conversion/field_errors.h"

namespace mlp {
namespace {

constexpr double kDefaultEpsilon = 0.12;

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
    return absl::InvalidArgumentError(
        absl::StrCat("network.activations: ", ExpectedForHiddenLayers(hidden), ", got ", given));
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

}  // namespace

absl::Status NetworkFromApi(const v1::NetworkConfig& network, TrainingConfig& config) {
  MLP_ASSIGN_OR_RETURN(config.cost, CostFromApi(network.cost()));
  MLP_ASSIGN_OR_RETURN(config.topology, TopologyFromApi(network, config.cost));
  MLP_ASSIGN_OR_RETURN(config.initialization, InitializationFromApi(network, config.topology));
  return absl::OkStatus();
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

}  // namespace mlp

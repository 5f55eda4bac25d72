#include "client/commands/network_flags.h"

#include <CLI/CLI.hpp>
#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>

#include "client/commands/flag_values.h"
#include "client/status_macros.h"

namespace mlp {
namespace {

constexpr Choice<v1::Activation> kActivations[] = {{"sigmoid", v1::ACTIVATION_SIGMOID},
                                                   {"tanh", v1::ACTIVATION_TANH},
                                                   {"relu", v1::ACTIVATION_RELU},
                                                   {"identity", v1::ACTIVATION_IDENTITY},
                                                   {"step", v1::ACTIVATION_STEP}};
constexpr Choice<v1::Cost> kCosts[] = {{"sigmoid", v1::COST_SIGMOID_CROSS_ENTROPY},
                                       {"softmax", v1::COST_SOFTMAX_CROSS_ENTROPY}};
constexpr Choice<v1::Initialization> kInitializations[] = {{"uniform", v1::INITIALIZATION_UNIFORM},
                                                           {"glorot", v1::INITIALIZATION_GLOROT},
                                                           {"he", v1::INITIALIZATION_HE}};

absl::Status ParseLayers(absl::string_view text, v1::NetworkConfig& network) {
  for (const absl::string_view piece : absl::StrSplit(text, ',')) {
    int32_t units = 0;
    if (!absl::SimpleAtoi(piece, &units) || units < 1) {
      return UsageError("--layers",
                        absl::StrCat("expected units from input to output, such as 400,25,10, got ",
                                     Quote(text)));
    }
    network.add_layers(units);
  }
  if (network.layers_size() < 2) {
    return UsageError("--layers", absl::StrCat("expected at least 2 layers, got ", Quote(text)));
  }
  return absl::OkStatus();
}

}  // namespace

void AddNetworkFlags(CLI::App& app, NetworkFlags& flags) {
  app.option_defaults()->group("Network");
  app.add_option("--layers", flags.layers,
                 "Units of every layer from input to output, such as 400,25,10; the first is the "
                 "dataset's features, the last its classes")
      ->required();
  app.add_option("--activation", flags.activation,
                 "Of the hidden layers: sigmoid (default), tanh, relu, identity; one for all or a "
                 "comma-separated list");
  app.add_option("--cost", flags.cost, "Cross-entropy of sigmoid (default) or softmax outputs");
  app.add_option("--init", flags.init,
                 "Initial weights: uniform, glorot, he; by default what suits the activation");
  app.add_option("--init-epsilon", flags.init_epsilon,
                 "Half-width of --init uniform; 0 means 0.12");
  app.add_option("--from", flags.from,
                 "Start from the weights and the scaling of MODEL or MODEL@VERSION, which has the "
                 "same layers");
}

absl::Status SetNetwork(const NetworkFlags& flags, v1::TrainingConfig& config) {
  v1::NetworkConfig& network = *config.mutable_network();
  MLP_RETURN_IF_ERROR(ParseLayers(flags.layers, network));
  if (!flags.activation.empty()) {
    for (const absl::string_view name : absl::StrSplit(flags.activation, ',')) {
      MLP_ASSIGN_OR_RETURN(const v1::Activation activation,
                           ParseChoice<v1::Activation>("--activation", name, kActivations));
      network.add_activations(activation);
    }
  }
  if (!flags.cost.empty()) {
    MLP_ASSIGN_OR_RETURN(const v1::Cost cost, ParseChoice<v1::Cost>("--cost", flags.cost, kCosts));
    network.set_cost(cost);
  }
  if (!flags.init.empty()) {
    MLP_ASSIGN_OR_RETURN(const v1::Initialization initialization,
                         ParseChoice<v1::Initialization>("--init", flags.init, kInitializations));
    network.set_initialization(initialization);
  }
  network.set_initialization_epsilon(flags.init_epsilon);
  config.set_initial_model(flags.from);
  return absl::OkStatus();
}

}  // namespace mlp

#include "client/commands/regularization_flags.h"

#include <vector>

#include <CLI/CLI.hpp>

#include "client/commands/flag_values.h"
#include "client/status_macros.h"

namespace mlp {

void AddRegularizationFlags(CLI::App& app, RegularizationFlags& flags) {
  app.option_defaults()->group("Regularization");
  app.add_option("--lambda", flags.lambda, "L2 penalty on all weights but the biases; 0 is none")
      ->capture_default_str();
  app.add_option("--l1", flags.l1, "L1 penalty on all weights but the biases (mini-batches)");
  app.add_option("--dropout", flags.dropout,
                 "Share of the hidden units that a step leaves out: one for all layers or a "
                 "comma-separated list (mini-batches)");
  app.add_option("--input-dropout", flags.input_dropout, "The same of the inputs (mini-batches)");
  app.add_option("--max-norm", flags.max_norm,
                 "Longest vector of weights into a unit; 0 is no limit (mini-batches)");
}

absl::Status SetRegularization(const RegularizationFlags& flags, v1::TrainingConfig& config) {
  config.set_lambda(flags.lambda);
  v1::RegularizationConfig& regularization = *config.mutable_regularization();
  regularization.set_l1(flags.l1);
  if (!flags.dropout.empty()) {
    MLP_ASSIGN_OR_RETURN(
        const std::vector<double> dropout,
        ParseNumbers("--dropout", flags.dropout, "a share, or one a hidden layer such as 0.5,0.3"));
    regularization.mutable_dropout()->Add(dropout.begin(), dropout.end());
  }
  regularization.set_input_dropout(flags.input_dropout);
  regularization.set_max_norm(flags.max_norm);
  return absl::OkStatus();
}

}  // namespace mlp

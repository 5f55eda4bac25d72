// mlpctl train.

#include "client/commands/subcommand.h"
#include "client/commands/training_flags.h"
#include "client/commands/watch_job.h"
#include "client/status_macros.h"

namespace mlp {
namespace {

struct Flags {
  TrainingFlags training;
  bool detach = false;
};

void AddNetworkFlags(CLI::App& app, TrainingFlags& flags) {
  app.add_option("MODEL", flags.model, "Model that the new version is published under")->required();
  app.add_option("--dataset", flags.dataset, "Dataset to train on")->required();
  app.add_option("--layers", flags.layers,
                 "Units of every layer from input to output, such as 400,25,10; the first is the "
                 "dataset's features, the last its classes")
      ->required();
  app.add_option("--activation", flags.activation,
                 "Of the hidden layers: sigmoid (default), tanh, relu, identity; one for all or a "
                 "comma-separated list");
  app.add_option("--cost", flags.cost, "Cross-entropy of sigmoid (default) or softmax outputs");
  app.add_option("--lambda", flags.lambda, "L2 penalty on all weights but the biases; 0 is none")
      ->capture_default_str();
  app.add_option("--init", flags.init,
                 "Initial weights: uniform, glorot, he; by default what suits the activation");
  app.add_option("--init-epsilon", flags.init_epsilon,
                 "Half-width of --init uniform; 0 means 0.12");
}

void AddDataFlags(CLI::App& app, TrainingFlags& flags) {
  app.add_option("--split", flags.split,
                 "Training/validation/test part, in percent or as fractions")
      ->capture_default_str();
  app.add_flag("--plain", flags.plain,
               "Split without regard to labels; by default each part has its share of every class");
  app.add_option(
      "--scaling", flags.scaling,
      "none, range, min-max, standard; by default range for uint8 features, standard for "
      "float32 ones");
  app.add_option("--seed", flags.seed, "Fixes split and initial weights")->capture_default_str();
}

void AddOptimizerFlags(CLI::App& app, TrainingFlags& flags) {
  app.add_option("--optimizer", flags.optimizer, "lbfgs (default) or cg (conjugate gradient)");
  app.add_option("--history", flags.history, "Steps that lbfgs remembers; 0 means 20");
  app.add_option("--max-iterations", flags.max_iterations, "Stop after so many; 0 means 1,000");
  app.add_option(
      "--cost-tolerance", flags.cost_tolerance,
      "Converged when one iteration changes the cost by at most this share; 0 means 1e-6");
  app.add_option("--gradient-tolerance", flags.gradient_tolerance,
                 "Converged when no gradient entry is larger; 0 means 1e-7");
  app.add_option("--time-limit", flags.time_limit, "Stop after so long, such as 90s or 5m");
  app.add_flag("--check-gradient", flags.check_gradient,
               "Verify backpropagation on this network and data first");
}

void AddFlags(CLI::App& app, Flags& flags) {
  AddNetworkFlags(app, flags.training);
  AddDataFlags(app, flags.training);
  AddOptimizerFlags(app, flags.training);
  app.add_flag("--detach", flags.detach, "Return once the job is queued, without watching it");
  app.add_option("--request-id", flags.training.request_id,
                 "Repeating a command with the same id returns the first one's job; by default a "
                 "new id each time");
  app.footer(R"(Examples:
  The classic digit network, on 70 % of the data, tested on the other 30 %:
    mlpctl train digits --dataset digits --layers 400,25,10 --lambda 1
  Softmax outputs, relu units, a validation part, at most five minutes:
    mlpctl train digits --dataset mnist --layers 784,300,100,10 --activation relu \
        --cost softmax --split 80/10/10 --time-limit 5m
  In the background, watched later:
    mlpctl train digits --dataset digits --layers 400,25,10 --detach
    mlpctl jobs watch 1

Ctrl-C stops the watching; the job goes on. The exit status is 0 only where the job succeeded.)");
}

absl::StatusOr<int> Train(CommandContext& context, const Flags& flags) {
  MLP_ASSIGN_OR_RETURN(v1::CreateTrainingJobRequest request, MakeTrainingRequest(flags.training));
  if (request.request_id().empty()) request.set_request_id(NewRequestId());
  MLP_ASSIGN_OR_RETURN(const v1::TrainingJob job, context.client().CreateTrainingJob(request));
  if (!flags.detach) return WatchJob(context, job.id(), 0);
  if (context.json()) {
    context.PrintJson(job);
  } else {
    context.out() << "job " << job.id() << " is queued; watch it with: " << context.Mlpctl()
                  << " jobs watch " << job.id() << std::endl;
  }
  return kExitSuccess;
}

}  // namespace

void AddTrainCommand(CLI::App& app, Command& command) {
  AddCommand<Flags>(app, "train", "Train a network and publish it as a version of a model", command,
                    AddFlags, Train);
}

}  // namespace mlp

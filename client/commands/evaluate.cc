// mlpctl evaluate.

#include "client/commands/evaluation_text.h"
#include "client/commands/subcommand.h"
#include "client/commands/training_flags.h"
#include "client/status_macros.h"

namespace mlp {
namespace {

struct Flags {
  std::string model;
  std::string dataset;
  std::string part = "all";
  bool curves = false;
};

void AddFlags(CLI::App& app, Flags& flags) {
  app.add_option("MODEL", flags.model, "MODEL (its newest version) or MODEL@VERSION")->required();
  app.add_option("--dataset", flags.dataset, "Dataset to evaluate on")->required();
  app.add_option("--part", flags.part,
                 "train, validation, test or all. The parts are those that the version was trained "
                 "with, and exist of its own dataset alone")
      ->capture_default_str();
  app.add_flag("--curves", flags.curves,
               "With --output json: the precision-recall curve of every class");
  app.footer(R"(Examples:
  mlpctl evaluate digits --dataset digits --part test
  mlpctl evaluate digits@3 --dataset digits-from-elsewhere)");
}

absl::StatusOr<int> Evaluate(CommandContext& context, const Flags& flags) {
  v1::EvaluateModelRequest request;
  request.set_model(flags.model);
  request.set_dataset(flags.dataset);
  MLP_ASSIGN_OR_RETURN(const v1::DatasetPart part, ParsePart(flags.part));
  request.set_part(part);
  request.set_include_curves(flags.curves);
  MLP_ASSIGN_OR_RETURN(const v1::EvaluateModelResponse response,
                       context.client().EvaluateModel(request));
  if (context.json()) {
    context.PrintJson(response);
  } else {
    context.out() << "model          " << response.model() << "@" << response.version() << "\n"
                  << DescribeEvaluation(response.evaluation());
  }
  return kExitSuccess;
}

}  // namespace

void AddEvaluateCommand(CLI::App& app, Command& command) {
  AddCommand<Flags>(app, "evaluate", "Measure how well a model answers stored examples", command,
                    AddFlags, Evaluate);
}

}  // namespace mlp

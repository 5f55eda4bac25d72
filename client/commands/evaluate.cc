// mlpctl evaluate.

#include <optional>
#include <utility>

#include <absl/strings/str_cat.h>

#include "client/commands/evaluation_figure.h"
#include "client/commands/evaluation_text.h"
#include "client/commands/subcommand.h"
#include "client/commands/training_flags.h"
#include "client/figure/pending_file.h"
#include "client/status_macros.h"

namespace mlp {
namespace {

struct Flags {
  std::string model;
  std::string dataset;
  std::string part = "all";
  int32_t worst = 10;
  bool curves = false;
  std::string plot;
};

void AddFlags(CLI::App& app, Flags& flags) {
  app.add_option("MODEL", flags.model, "MODEL (its newest version) or MODEL@VERSION")->required();
  app.add_option("--dataset", flags.dataset, "Dataset to evaluate on")->required();
  app.add_option("--part", flags.part,
                 "train, validation, test or all. The parts are those that the version was trained "
                 "with, and exist of its own dataset alone")
      ->capture_default_str();
  app.add_option("--worst", flags.worst,
                 "How many of the worst examples to list, 0 to 1000: those whose own label has the "
                 "lowest output")
      ->capture_default_str();
  app.add_flag("--curves", flags.curves,
               "With --output json: the precision-recall and ROC curve of every class");
  app.add_option("--plot", flags.plot,
                 "FILE.svg or FILE.png: also draw confusion matrix, curves and reliability there");
  app.footer(R"(Examples:
  mlpctl evaluate digits --dataset digits --part test
  mlpctl evaluate digits --dataset digits --part test --plot digits.png
  mlpctl evaluate digits@3 --dataset digits-from-elsewhere --output json --curves)");
}

// Where the figure goes, tried before the server is asked to work.
struct Plot {
  FigureFormat format;
  PendingFile file;
};

absl::StatusOr<std::optional<Plot>> OpenPlot(const std::string& path) {
  if (path.empty()) return std::nullopt;
  const absl::StatusOr<FigureFormat> format = FigureFormatOf(path);
  if (!format.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("--plot: ", format.status().message()));
  }
  absl::StatusOr<PendingFile> file = PendingFile::Create(path);
  if (!file.ok()) {
    return absl::Status(file.status().code(), absl::StrCat("--plot: ", file.status().message()));
  }
  return Plot{*format, *std::move(file)};
}

absl::Status WritePlot(const v1::EvaluateModelResponse& response, const Flags& flags, Plot& plot) {
  MLP_ASSIGN_OR_RETURN(const std::string bytes,
                       DrawEvaluation(response, flags.dataset, plot.format));
  return plot.file.Commit(bytes);
}

absl::StatusOr<int> Evaluate(CommandContext& context, const Flags& flags) {
  v1::EvaluateModelRequest request;
  request.set_model(flags.model);
  request.set_dataset(flags.dataset);
  MLP_ASSIGN_OR_RETURN(const v1::DatasetPart part, ParsePart(flags.part));
  request.set_part(part);
  request.set_include_curves(flags.curves || !flags.plot.empty() || !context.json());
  request.set_worst_examples(flags.worst);
  MLP_ASSIGN_OR_RETURN(std::optional<Plot> plot, OpenPlot(flags.plot));
  MLP_ASSIGN_OR_RETURN(v1::EvaluateModelResponse response, context.client().EvaluateModel(request));
  if (plot) MLP_RETURN_IF_ERROR(WritePlot(response, flags, *plot));
  if (context.json()) {
    if (!flags.curves) {
      for (auto& c : *response.mutable_evaluation()->mutable_classes()) c.clear_curve();
    }
    context.PrintJson(response);
    return kExitSuccess;
  }
  context.out() << "model          " << response.model() << "@" << response.version() << "\n"
                << DescribeEvaluation(response.evaluation(), context.style());
  if (plot) context.out() << "\nfigure         " << flags.plot << "\n";
  return kExitSuccess;
}

}  // namespace

void AddEvaluateCommand(CLI::App& app, Command& command) {
  AddCommand<Flags>(app, "evaluate", "Measure how well a model answers stored examples", command,
                    AddFlags, Evaluate);
}

}  // namespace mlp

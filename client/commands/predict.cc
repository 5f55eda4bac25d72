// mlpctl predict.

#include "client/commands/predict_flags.h"
#include "client/commands/predict_sources.h"
#include "client/commands/subcommand.h"
#include "client/status_macros.h"

namespace mlp {
namespace {

void AddFlags(CLI::App& app, PredictFlags& flags) {
  app.add_option("MODEL", flags.model, "MODEL (its newest version) or MODEL@VERSION")->required();
  app.add_option("--image", flags.image, "PNG of one example, grey or colour, of any size");
  app.add_option(
         "--invert", flags.invert,
         "Whether to turn the image's black to white: yes, no, or auto, which does so where "
         "its border is lighter than its middle")
      ->capture_default_str();
  app.add_option("--dataset", flags.dataset, "Stored dataset to take rows from");
  app.add_option("--rows", flags.rows,
                 "Rows A:B of the dataset, from 0, B not included; A:B:S takes every S-th")
      ->capture_default_str();
  app.add_option(
         "--part", flags.part,
         "The part of the dataset that --rows counts in, as the version was trained with it: "
         "train, validation, test or all")
      ->capture_default_str();
  app.add_option("--csv", flags.csv, "CSV file with one example a line");
  app.add_option(
      "--label-column", flags.label_column,
      "The CSV column that is no feature but the label, to show beside the answer: a name "
      "of the header, an index from 0, or last. By default all columns are features");
  app.add_option("--header", flags.header,
                 "Whether the CSV's first line is a header: yes, no, auto")
      ->capture_default_str();
  app.footer(R"(Images:
  The model is taken to expect light strokes on a dark ground, as in MNIST. The image is turned
  grey (transparent parts become its ground), inverted where needed, scaled to fit the model's
  width x height by area averaging, its aspect ratio kept, centred, and filled up with the mean of
  its border. A model of bytes gets 0 (black) to 255 (white), one of float32 features 0 to 1.

Examples:
  mlpctl predict digits --image three.png
  mlpctl predict digits@2 --dataset digits --part test --rows 0:8
  mlpctl predict iris --csv flowers.csv --label-column species --output json)");
}

absl::StatusOr<int> Predict(CommandContext& context, const PredictFlags& flags) {
  MLP_RETURN_IF_ERROR(CheckPredictFlags(flags));
  if (!flags.image.empty()) return PredictImage(context, flags);
  if (!flags.dataset.empty()) return PredictDataset(context, flags);
  return PredictCsv(context, flags);
}

}  // namespace

void AddPredictCommand(CLI::App& app, Command& command) {
  AddCommand<PredictFlags>(app, "predict", "Ask a model about an image, stored rows or a CSV file",
                           command, AddFlags, Predict);
}

}  // namespace mlp

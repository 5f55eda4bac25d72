// mlpctl datasets: upload, list, get, delete.

#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>

#include "client/commands/dataset_flags.h"
#include "client/commands/resource_text.h"
#include "client/commands/subcommand.h"
#include "client/status_macros.h"
#include "client/terminal/numbers.h"
#include "client/terminal/progress_line.h"
#include "client/terminal/table.h"

namespace mlp {
namespace {

struct NoFlags {};
struct NameFlags {
  std::string name;
};

void AddNoFlags(CLI::App&, NoFlags&) {}

void AddNameFlag(CLI::App& app, NameFlags& flags) {
  app.add_option("NAME", flags.name, "The dataset's name")->required();
}

void AddUploadFlags(CLI::App& app, UploadFlags& flags) {
  app.add_option("NAME", flags.name, "The new dataset's name: [a-z0-9][a-z0-9._-]{0,62}")
      ->required();
  app.add_option("--sheet", flags.sheet,
                 "PNG that is a sheet of equal cells, each an example, in rows from the top left");
  app.add_option("--cell", flags.cell, "WIDTHxHEIGHT of a sheet's cell in pixels, such as 20x20");
  app.add_option("--images", flags.images, "IDX file (plain or .gz) of images or rows");
  app.add_option("--csv", flags.csv, "CSV file of numbers with a column of labels");
  app.add_option("--npy", flags.npy,
                 "NPY file: rows x features, or rows x height x width for images");
  app.add_option("--labels", flags.labels,
                 "Labels of --images (IDX), --npy (NPY, or text) or --sheet (text); text has one "
                 "label a line");
  app.add_option("--label-column", flags.label_column,
                 "The CSV column with the labels: a name of the header, an index from 0, or last")
      ->capture_default_str();
  app.add_option(
         "--header", flags.header,
         "Whether the CSV's first line is a header: yes, no, or auto, which takes it for one "
         "where none of its features is a number")
      ->capture_default_str();
  app.add_option(
      "--classes", flags.classes,
      "Class names: a list such as cat,dog, or a range such as 0..9. By default the "
      "distinct labels, in order; for a sheet without --labels 0..9, into which its cells "
      "are divided evenly");
  app.add_option("--weights", flags.weights,
                 "How much each example counts in trainings: a text file with one number of at "
                 "least 0 a line, 1 being usual");
  app.footer(R"(Examples:
  mlpctl datasets upload digits --sheet digits.png --cell 20x20
  mlpctl datasets upload mnist --images train-images-idx3-ubyte.gz --labels train-labels-idx1-ubyte.gz
  mlpctl datasets upload iris --csv iris.csv --label-column species
  mlpctl datasets upload faces --npy faces.npy --labels names.txt

Bytes (PNG, IDX ubyte, NPY u1) stay bytes; all other numbers become float32.)");
}

absl::StatusOr<int> Upload(CommandContext& context, const UploadFlags& flags) {
  MLP_ASSIGN_OR_RETURN(const std::unique_ptr<ExampleSource> source, OpenSource(flags));
  v1::DatasetHeader header = source->header();
  header.set_name(flags.name);
  header.set_request_id(NewRequestId());

  const absl::Time start = absl::Now();
  absl::Time drawn = absl::InfinitePast();
  const auto draw = [&](int64_t rows) {
    const absl::Time now = absl::Now();
    if (now - drawn < absl::Milliseconds(50)) return;
    drawn = now;
    const double seconds = absl::ToDoubleSeconds(now - start);
    const Progress progress = {.name = "uploading",
                               .done = rows,
                               .total = header.rows(),
                               .detail = "rows",
                               .rate_unit = "rows/s",
                               .rate = seconds > 0 ? static_cast<double>(rows) / seconds : 0,
                               .elapsed_seconds = seconds};
    context.out() << kRedraw << RenderProgress(progress, context.style()) << std::flush;
  };
  std::function<void(int64_t)> on_rows;
  if (context.live()) on_rows = draw;
  const absl::StatusOr<v1::Dataset> dataset =
      context.client().UploadDataset(header, *source, on_rows);
  if (drawn != absl::InfinitePast()) context.out() << kRedraw << std::flush;
  if (!dataset.ok()) return dataset.status();
  if (context.json()) {
    context.PrintJson(*dataset);
  } else {
    context.out() << DescribeDataset(*dataset);
  }
  return kExitSuccess;
}

absl::StatusOr<int> List(CommandContext& context, const NoFlags&) {
  using Align = Table::Align;
  Table table({{"dataset"},
               {"rows", Align::kRight},
               {"features", Align::kRight},
               {"type"},
               {"classes", Align::kRight},
               {"size", Align::kRight},
               {"created"}});
  MLP_RETURN_IF_ERROR(ForEachPage(
      v1::ListDatasetsRequest(),
      [&](const auto& page) { return context.client().ListDatasets(page); },
      [&](const v1::ListDatasetsResponse& page) {
        for (const v1::Dataset& dataset : page.datasets()) {
          if (context.json()) {
            context.PrintJson(dataset);
            continue;
          }
          table.AddRow({dataset.name(), FormatCount(dataset.rows()),
                        FormatCount(dataset.features()), FeatureTypeName(dataset.feature_type()),
                        FormatCount(dataset.class_names_size()), FormatBytes(dataset.bytes()),
                        FormatTimestamp(dataset.has_create_time(), dataset.create_time())});
        }
      }));
  if (!context.json()) context.out() << table.Render();
  return kExitSuccess;
}

absl::StatusOr<int> Get(CommandContext& context, const NameFlags& flags) {
  v1::GetDatasetRequest request;
  request.set_name(flags.name);
  MLP_ASSIGN_OR_RETURN(const v1::Dataset dataset, context.client().GetDataset(request));
  if (context.json()) {
    context.PrintJson(dataset);
  } else {
    context.out() << DescribeDataset(dataset);
  }
  return kExitSuccess;
}

absl::StatusOr<int> Delete(CommandContext& context, const NameFlags& flags) {
  v1::DeleteDatasetRequest request;
  request.set_name(flags.name);
  MLP_RETURN_IF_ERROR(context.client().DeleteDataset(request));
  if (!context.json()) context.out() << "dataset " << flags.name << " deleted\n";
  return kExitSuccess;
}

}  // namespace

void AddDatasetsCommands(CLI::App& app, Command& command) {
  auto* datasets = app.add_subcommand("datasets", "Upload, see and delete labelled examples");
  datasets->require_subcommand(1);
  AddCommand<UploadFlags>(*datasets, "upload",
                          "Store a dataset from a PNG sheet, IDX, CSV or NPY files", command,
                          AddUploadFlags, Upload);
  AddCommand<NoFlags>(*datasets, "list", "List the datasets", command, AddNoFlags, List);
  AddCommand<NameFlags>(*datasets, "get", "Show one dataset", command, AddNameFlag, Get);
  AddCommand<NameFlags>(*datasets, "delete", "Delete a dataset; models trained on it stay", command,
                        AddNameFlag, Delete);
}

}  // namespace mlp

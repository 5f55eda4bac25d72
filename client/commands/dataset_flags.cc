#include "client/commands/dataset_flags.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <absl/strings/str_cat.h>

#include "client/commands/error_line.h"
#include "client/readers/csv_reader.h"
#include "client/readers/idx_reader.h"
#include "client/readers/npy_reader.h"
#include "client/readers/png_sheet.h"
#include "client/readers/weighted_source.h"
#include "client/status_macros.h"

namespace mlp {
namespace {

absl::Status CheckFlags(const UploadFlags& flags) {
  const std::vector<const std::string*> sources = {&flags.sheet, &flags.images, &flags.csv,
                                                   &flags.npy};
  const auto given = std::count_if(sources.begin(), sources.end(),
                                   [](const std::string* source) { return !source->empty(); });
  if (given != 1) {
    return UsageError(
        "datasets upload",
        absl::StrCat("expected one of --sheet, --images, --csv and --npy, got ", given));
  }
  if (!flags.sheet.empty() && flags.cell.empty()) {
    return UsageError("--sheet", "needs --cell WIDTHxHEIGHT");
  }
  if (flags.sheet.empty() && !flags.cell.empty()) return UsageError("--cell", "goes with --sheet");
  if (!flags.images.empty() && flags.labels.empty()) {
    return UsageError("--images", "needs --labels FILE");
  }
  if (!flags.npy.empty() && flags.labels.empty()) return UsageError("--npy", "needs --labels FILE");
  if (!flags.csv.empty() && !flags.labels.empty()) {
    return UsageError("--labels", "does not go with --csv, whose labels are a column");
  }
  return absl::OkStatus();
}

// The one source, without weights.
absl::StatusOr<std::unique_ptr<ExampleSource>> OpenExamples(const UploadFlags& flags) {
  std::vector<std::string> classes;
  if (!flags.classes.empty()) {
    absl::StatusOr<std::vector<std::string>> parsed = ParseClasses(flags.classes);
    if (!parsed.ok()) return UsageError("--classes", parsed.status().message());
    classes = *std::move(parsed);
  }
  if (!flags.sheet.empty()) {
    const absl::StatusOr<CellSize> cell = ParseCellSize(flags.cell);
    if (!cell.ok()) return UsageError("--cell", cell.status().message());
    return OpenPngSheet(
        {.path = flags.sheet, .cell = *cell, .classes = classes, .labels = flags.labels});
  }
  if (!flags.images.empty()) {
    return OpenIdx({.images = flags.images, .labels = flags.labels, .classes = classes});
  }
  if (!flags.npy.empty()) {
    return OpenNpy({.features = flags.npy, .labels = flags.labels, .classes = classes});
  }
  const absl::StatusOr<CsvHeader> header = ParseCsvHeader(flags.header);
  if (!header.ok()) return UsageError("--header", header.status().message());
  return OpenCsv({.path = flags.csv,
                  .header = *header,
                  .label_column = flags.label_column,
                  .classes = classes});
}

}  // namespace

absl::StatusOr<std::unique_ptr<ExampleSource>> OpenSource(const UploadFlags& flags) {
  MLP_RETURN_IF_ERROR(CheckFlags(flags));
  MLP_ASSIGN_OR_RETURN(std::unique_ptr<ExampleSource> source, OpenExamples(flags));
  if (flags.weights.empty()) return source;
  return WithWeights(std::move(source), flags.weights);
}

}  // namespace mlp

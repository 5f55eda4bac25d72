#include <string>
#include <vector>

#include <absl/strings/string_view.h>

#include "client/commands/predict_sources.h"
#include "client/commands/predictions.h"
#include "client/readers/csv_reader.h"
#include "client/status_macros.h"

namespace mlp {

absl::StatusOr<int> PredictCsv(CommandContext& context, const PredictFlags& flags) {
  const absl::StatusOr<CsvHeader> header = ParseCsvHeader(flags.header);
  if (!header.ok()) return UsageError("--header", header.status().message());
  MLP_ASSIGN_OR_RETURN(const CsvTable table, ReadCsv({.path = flags.csv,
                                                      .header = *header,
                                                      .label_column = flags.label_column,
                                                      .classes = {}}));
  MLP_ASSIGN_OR_RETURN(const v1::ModelVersion version, ResolveModel(context.client(), flags.model));
  const absl::string_view values(reinterpret_cast<const char*>(table.values.data()),
                                 table.values.size() * sizeof(float));
  MLP_ASSIGN_OR_RETURN(
      std::vector<Prediction> predictions,
      PredictRows(context.client(), version, v1::FEATURE_TYPE_FLOAT32, table.features, values));
  const ClassLabels& labels = table.labels;
  for (size_t i = 0; i < predictions.size() && i < labels.labels.size(); ++i) {
    predictions[i].expected_class_name = labels.class_names[static_cast<size_t>(labels.labels[i])];
  }
  if (!context.json()) {
    PrintPredictionTable(context, predictions);
    return kExitSuccess;
  }
  for (const Prediction& prediction : predictions) {
    PrintPredictionJson(context, version, prediction);
  }
  return kExitSuccess;
}

}  // namespace mlp

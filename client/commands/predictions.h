// Runs rows through a model, as many a call as is good, and shows the answers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include "client/commands/command.h"
#include "mlp/v1/dataset.pb.h"
#include "mlp/v1/model.pb.h"

namespace mlp {

struct Prediction {
  // What the row is called in the output: its index in the dataset or the file.
  int64_t row = 0;
  // What the data says that it is; empty where unknown.
  std::string expected_class_name;
  int32_t label = 0;
  std::string class_name;
  // [K], 0 to 1.
  std::vector<float> outputs;

  // The output of the predicted class.
  double probability() const { return outputs[static_cast<size_t>(label)]; }
};

// The version that `reference` means now, so that all calls of one command ask the same one.
absl::StatusOr<v1::ModelVersion> ResolveModel(Client& client, const std::string& reference);

// One prediction for each row of `values`, row-major: bytes (uint8) or little-endian floats of
// `features` values a row. Only label, class name and outputs are set. INVALID_ARGUMENT where the
// model takes another number of features; INTERNAL where the reply does not fit the request.
absl::StatusOr<std::vector<Prediction>> PredictRows(Client& client, const v1::ModelVersion& version,
                                                    v1::FeatureType type, int32_t features,
                                                    absl::string_view values);

// JSON: one object a line.
void PrintPredictionJson(CommandContext& context, const v1::ModelVersion& version,
                         const Prediction& prediction);

// A table of row, label (where any is known), prediction and probability, and how many were right.
void PrintPredictionTable(CommandContext& context, const std::vector<Prediction>& predictions);

// "9 of 10 right"; empty where no label is known.
std::string CountRight(const std::vector<Prediction>& predictions);

// Up to twelve classes in order, or the five most probable of more, with a bar each.
std::vector<std::string> ClassBars(const v1::ModelVersion& version, const Prediction& prediction,
                                   const TerminalStyle& style);

}  // namespace mlp

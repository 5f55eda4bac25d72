// Where `mlpctl predict` takes its rows from: one function each, which also shows the answers.
#pragma once

#include <absl/status/statusor.h>

#include "client/commands/command.h"
#include "client/commands/predict_flags.h"

namespace mlp {

// A PNG, brought to the model's input and shown as text beside the outputs.
absl::StatusOr<int> PredictImage(CommandContext& context, const PredictFlags& flags);

// Stored examples beside their labels; images are drawn.
absl::StatusOr<int> PredictDataset(CommandContext& context, const PredictFlags& flags);

// The rows of a CSV file.
absl::StatusOr<int> PredictCsv(CommandContext& context, const PredictFlags& flags);

}  // namespace mlp

// An evaluation as one figure.
#pragma once

#include <string>

#include <absl/status/statusor.h>

#include "client/figure/drawing.h"
#include "mlp/v1/model.pb.h"

namespace mlp {

// The file's bytes: a page of confusion matrix, precision-recall curves, ROC curves and reliability
// diagram, under a line that says what was evaluated. Drawing's errors.
absl::StatusOr<std::string> DrawEvaluation(const v1::EvaluateModelResponse& response,
                                           const std::string& dataset, FigureFormat format);

}  // namespace mlp

// Whether the network is as often right as it says: the reliability diagram as text.
#pragma once

#include <string>

#include "client/terminal/style.h"
#include "mlp/v1/evaluation.pb.h"

namespace mlp {

// A line for each bin that has examples: its bounds, how many they are, mean confidence, accuracy,
// and a bar as long as the accuracy, with a mark at the mean confidence. Lines end with \n. Empty
// where the evaluation has no such table.
std::string CalibrationText(const v1::Evaluation& evaluation, const TerminalStyle& style);

}  // namespace mlp

// What a progress point says, as a line of text.
#pragma once

#include <cstdint>
#include <string>

#include "client/terminal/progress_line.h"
#include "client/terminal/style.h"
#include "mlp/v1/training.pb.h"

namespace mlp {

// Whether the training counts epochs: of a job with every default filled in.
bool CountsEpochs(const v1::TrainingConfig& config);

// For a pipe: `iteration 12  cost 0.41  gradient 0.01  step 1  5,000 examples/s  0.20 s`.
std::string ProgressText(const v1::ProgressPoint& point, bool epochs);

// For a line that is drawn over. `last` is the last iteration or epoch that there may be.
Progress LiveProgress(const v1::ProgressPoint& point, bool epochs, int64_t last,
                      const TerminalStyle& style);

}  // namespace mlp

// The logarithmic loss of outputs that are read as a distribution over the classes.
#pragma once

#include <cstdint>

#include <absl/types/span.h>

namespace mlp {

// -log p of the label's class, in double: each of `outputs` [K] is limited to [1e-15, 1 - 1e-15] (a
// NaN to its lower end) and divided by their sum, as scikit-learn's log_loss does with eps = 1e-15.
// The log-loss is the mean of it. For softmax outputs that is the cross-entropy, but for rounding
// and the limits; for sigmoid outputs, which do not sum to 1, it is something else.
double LogLoss(absl::Span<const float> outputs, int32_t label);

}  // namespace mlp

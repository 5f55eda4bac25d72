// The parts of ValidateTrainingConfig, and the checks of one field that they share. A status that
// is not OK names the field as training.proto does.
#pragma once

#include <absl/status/status.h>
#include <absl/strings/string_view.h>

#include "core/train/training_config.h"

namespace mlp {

// INVALID_ARGUMENT unless `value` is finite and `ok`: `field: expected a finite number EXPECTED,
// got
// ...`.
absl::Status CheckNumber(absl::string_view field, double value, bool ok,
                         absl::string_view expected);

// At least 0.
absl::Status CheckNotNegative(absl::string_view field, double value);

// At least 0, below 1.
absl::Status CheckShare(absl::string_view field, double value);

// INVALID_ARGUMENT unless `value` is in [least, most].
absl::Status CheckCount(absl::string_view field, int value, int least, int most);

// INVALID_ARGUMENT unless `unset`: a field that `who` has no use for.
absl::Status CheckUnset(absl::string_view field, bool unset, absl::string_view who);
inline constexpr absl::string_view kFullBatch = "a full-batch optimizer";

// `optimizer` and its schedule; `max_epochs` is stopping.max_iterations.
absl::Status ValidateOptimizer(const OptimizerOptions& optimizer, int max_epochs);

// `stopping`. Early stopping needs `has_validation`.
absl::Status ValidateStopping(const StoppingOptions& stopping, OptimizerKind optimizer,
                              bool has_validation);

// `regularization` of a network with `hidden_layers`.
absl::Status ValidateRegularization(const RegularizationOptions& regularization,
                                    OptimizerKind optimizer, size_t hidden_layers);

}  // namespace mlp

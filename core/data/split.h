// Divides a dataset's rows into training, validation and test parts.
#pragma once

#include <cstdint>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/types/span.h>

namespace mlp {

struct SplitOptions {
  // Fractions in [0, 1] that sum to 1 within 1e-6.
  double training = 0.7;
  double validation = 0.0;
  double test = 0.3;
  // Keep the share of each class equal in all parts to within one example.
  bool stratified = true;
  int64_t seed = 1;
};

// Row indices, each part in rising order; disjoint and together complete.
struct Split {
  std::vector<int64_t> training;
  std::vector<int64_t> validation;
  std::vector<int64_t> test;
};

// INVALID_ARGUMENT naming the field: a fraction that is not finite or outside [0, 1], fractions
// that do not sum to 1 (the message gives the sum), a training fraction of 0.
absl::Status ValidateSplitOptions(const SplitOptions& options);

// Splits labels.size() rows of `classes` classes. Part sizes: the fractions of N by largest
// remainder; stratified: within each class every part's count differs from fraction * class size by
// less than 1. Same labels, options: same split. FAILED_PRECONDITION where a part with a fraction
// above 0 would be empty (names the part and the rows there are); else ValidateSplitOptions'
// errors.
absl::StatusOr<Split> SplitRows(absl::Span<const int32_t> labels, int classes,
                                const SplitOptions& options);

}  // namespace mlp

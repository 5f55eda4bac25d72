// The flags of `mlpctl predict`, apart from the command-line parser.
#pragma once

#include <cstdint>
#include <string>

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

namespace mlp {

struct PredictFlags {
  std::string model;
  std::string image;
  std::string invert = "auto";
  std::string dataset;
  std::string rows = "0:10";
  std::string part = "all";
  std::string csv;
  std::string label_column;
  std::string header = "auto";
};

// Rows first, first + step, first + 2 step, ... below last.
struct RowRange {
  int64_t first = 0;
  int64_t last = 0;  // INT64_MAX: to the end
  int64_t step = 1;
};

// "A:B" (B not included), "A:" (to the end), ":B", "A" (that row alone) or, with every S-th row
// only, "A:B:S". A usage error where it is none of them or empty.
absl::StatusOr<RowRange> ParseRows(absl::string_view text);

enum class Polarity { kAuto, kInvert, kKeep };

// auto, yes or no.
absl::StatusOr<Polarity> ParsePolarity(absl::string_view text);

// A usage error unless exactly one of image, dataset and csv is given.
absl::Status CheckPredictFlags(const PredictFlags& flags);

}  // namespace mlp

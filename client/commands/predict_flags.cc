#include "client/commands/predict_flags.h"

#include <limits>
#include <vector>

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>

#include "client/commands/error_line.h"
#include "client/readers/quote.h"

namespace mlp {

absl::StatusOr<RowRange> ParseRows(absl::string_view text) {
  constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();
  const absl::Status error = UsageError(
      "--rows",
      absl::StrCat("expected A:B or A:B:STEP with A < B, such as 0:10, got ", Quote(text)));
  const std::vector<absl::string_view> ends = absl::StrSplit(text, ':');
  RowRange range;
  if (ends.size() > 3) return error;
  if (ends.size() == 3 && (!absl::SimpleAtoi(ends[2], &range.step) || range.step < 1)) return error;
  if (!ends[0].empty() && !absl::SimpleAtoi(ends[0], &range.first)) return error;
  if (ends.size() == 1) {
    if (ends[0].empty() || range.first == kEnd) return error;
    range.last = range.first + 1;
  } else if (ends[1].empty()) {
    range.last = kEnd;
  } else if (!absl::SimpleAtoi(ends[1], &range.last)) {
    return error;
  }
  if (range.first < 0 || range.last <= range.first) return error;
  return range;
}

absl::StatusOr<Polarity> ParsePolarity(absl::string_view text) {
  if (text == "auto") return Polarity::kAuto;
  if (text == "yes") return Polarity::kInvert;
  if (text == "no") return Polarity::kKeep;
  return UsageError("--invert", absl::StrCat("expected auto, yes or no, got ", Quote(text)));
}

absl::Status CheckPredictFlags(const PredictFlags& flags) {
  const int given =
      (flags.image.empty() ? 0 : 1) + (flags.dataset.empty() ? 0 : 1) + (flags.csv.empty() ? 0 : 1);
  if (given == 1) return absl::OkStatus();
  return UsageError("predict",
                    absl::StrCat("expected one of --image, --dataset and --csv, got ", given));
}

}  // namespace mlp

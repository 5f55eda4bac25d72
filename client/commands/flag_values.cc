#include "client/commands/flag_values.h"

#include <cmath>

#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>

namespace mlp {

absl::StatusOr<std::vector<double>> ParseNumbers(absl::string_view flag, absl::string_view text,
                                                 absl::string_view expected) {
  std::vector<double> numbers;
  for (const absl::string_view piece : absl::StrSplit(text, ',')) {
    double number = 0;
    if (!absl::SimpleAtod(piece, &number) || !std::isfinite(number)) {
      return UsageError(flag, absl::StrCat("expected ", expected, ", got ", Quote(text)));
    }
    numbers.push_back(number);
  }
  return numbers;
}

}  // namespace mlp

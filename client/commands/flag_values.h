// How the text of a flag becomes a value: words of a fixed choice, and lists of numbers.
#pragma once

#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/strings/string_view.h>
#include <absl/types/span.h>

#include "client/commands/error_line.h"
#include "client/readers/quote.h"

namespace mlp {

// A word and what it stands for.
template <typename Value>
struct Choice {
  const char* name;
  Value value;
};

// A usage error that names `flag` and all words, where `text` is none of them.
template <typename Value>
absl::StatusOr<Value> ParseChoice(absl::string_view flag, absl::string_view text,
                                  absl::Span<const Choice<Value>> choices) {
  std::vector<absl::string_view> names;
  for (const Choice<Value>& choice : choices) {
    if (text == choice.name) return choice.value;
    names.emplace_back(choice.name);
  }
  return UsageError(
      flag, absl::StrCat("expected one of ", absl::StrJoin(names, ", "), ", got ", Quote(text)));
}

// Finite numbers separated by commas, such as `0.5,0.25`. A usage error that names `flag` and says
// what is `expected` where one is none.
absl::StatusOr<std::vector<double>> ParseNumbers(absl::string_view flag, absl::string_view text,
                                                 absl::string_view expected);

}  // namespace mlp

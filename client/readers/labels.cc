#include "client/readers/labels.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>

#include "client/readers/quote.h"
#include "client/readers/text_lines.h"
#include "client/status_macros.h"

namespace mlp {
namespace {

absl::Status TooManyClasses() {
  return absl::InvalidArgumentError(
      absl::StrCat("expected at most ", kMaxClasses, " distinct labels, got more"));
}

absl::StatusOr<std::vector<std::string>> ParseRange(absl::string_view first,
                                                    absl::string_view last) {
  int64_t from = 0;
  int64_t to = 0;
  if (!absl::SimpleAtoi(first, &from) || !absl::SimpleAtoi(last, &to) || from < -1'000'000'000 ||
      to > 1'000'000'000 || to <= from || to - from >= static_cast<int64_t>(kMaxClasses)) {
    return absl::InvalidArgumentError(absl::StrCat("expected a range such as 0..9, got ",
                                                   Quote(absl::StrCat(first, "..", last))));
  }
  std::vector<std::string> names;
  for (int64_t k = from; k <= to; ++k) names.push_back(absl::StrCat(k));
  return names;
}

// The order of `names` that the class indices follow.
std::vector<int32_t> SortedOrder(const std::vector<std::string>& names) {
  std::vector<int64_t> numbers(names.size());
  bool all_integers = true;
  for (size_t i = 0; i < names.size() && all_integers; ++i) {
    all_integers = absl::SimpleAtoi(names[i], &numbers[i]);
  }
  std::vector<int32_t> order(names.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    const auto i = static_cast<size_t>(a);
    const auto j = static_cast<size_t>(b);
    if (all_integers && numbers[i] != numbers[j]) return numbers[i] < numbers[j];
    return names[i] < names[j];
  });
  return order;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ParseClasses(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> range = absl::StrSplit(text, "..");
  if (text.find(',') == absl::string_view::npos && text.find("..") != absl::string_view::npos) {
    return ParseRange(range.first, range.second);
  }
  std::vector<std::string> names;
  std::set<std::string> seen;
  for (const absl::string_view piece : absl::StrSplit(text, ',')) {
    const std::string name(absl::StripAsciiWhitespace(piece));
    if (name.empty()) return absl::InvalidArgumentError("expected class names, got an empty one");
    if (!seen.insert(name).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("expected distinct class names, got ", Quote(name), " twice"));
    }
    names.push_back(name);
  }
  if (names.size() < 2 || names.size() > kMaxClasses) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected 2 to ", kMaxClasses, " class names, got ", names.size()));
  }
  return names;
}

WordLabels::WordLabels(std::vector<std::string> classes)
    : fixed_(!classes.empty()), names_(std::move(classes)) {
  for (size_t k = 0; k < names_.size(); ++k) index_[names_[k]] = static_cast<int32_t>(k);
}

absl::Status WordLabels::Add(absl::string_view word) {
  word = absl::StripAsciiWhitespace(word);
  if (word.empty()) return absl::InvalidArgumentError("expected a label, got nothing");
  auto found = index_.find(word);
  if (found == index_.end()) {
    if (fixed_) {
      return absl::InvalidArgumentError(absl::StrCat("expected one of the classes ", names_.front(),
                                                     " to ", names_.back(), " as label, got ",
                                                     Quote(word)));
    }
    if (names_.size() == kMaxClasses) return TooManyClasses();
    found = index_.emplace(word, static_cast<int32_t>(names_.size())).first;
    names_.emplace_back(word);
  }
  labels_.push_back(found->second);
  return absl::OkStatus();
}

ClassLabels WordLabels::Finish() && {
  if (fixed_) return {std::move(names_), std::move(labels_)};
  const std::vector<int32_t> order = SortedOrder(names_);
  std::vector<std::string> sorted;
  std::vector<int32_t> position(order.size());
  for (const int32_t k : order) {
    position[static_cast<size_t>(k)] = static_cast<int32_t>(sorted.size());
    sorted.push_back(names_[static_cast<size_t>(k)]);
  }
  for (int32_t& label : labels_) label = position[static_cast<size_t>(label)];
  return {std::move(sorted), std::move(labels_)};
}

absl::StatusOr<ClassLabels> LabelsFromIntegers(absl::string_view file,
                                               absl::Span<const int64_t> values,
                                               const std::vector<std::string>& classes) {
  ClassLabels result;
  result.labels.reserve(values.size());
  if (!classes.empty()) {
    result.class_names = classes;
    for (size_t i = 0; i < values.size(); ++i) {
      if (values[i] < 0 || values[i] >= static_cast<int64_t>(classes.size())) {
        return absl::InvalidArgumentError(absl::StrCat(file, ": label ", i, ": expected 0 to ",
                                                       classes.size() - 1, ", got ", values[i]));
      }
      result.labels.push_back(static_cast<int32_t>(values[i]));
    }
    return result;
  }
  std::set<int64_t> distinct;
  for (const int64_t value : values) {
    distinct.insert(value);
    if (distinct.size() > kMaxClasses) {
      return absl::InvalidArgumentError(absl::StrCat(file, ": ", TooManyClasses().message()));
    }
  }
  const std::vector<int64_t> sorted(distinct.begin(), distinct.end());
  for (const int64_t value : sorted) result.class_names.push_back(absl::StrCat(value));
  for (const int64_t value : values) {
    result.labels.push_back(static_cast<int32_t>(
        std::lower_bound(sorted.begin(), sorted.end(), value) - sorted.begin()));
  }
  return result;
}

absl::StatusOr<ClassLabels> ReadLabelLines(const std::string& path,
                                           const std::vector<std::string>& classes) {
  WordLabels labels(classes);
  MLP_RETURN_IF_ERROR(
      ForEachLine(path, "a label", [&labels](absl::string_view line) { return labels.Add(line); }));
  return std::move(labels).Finish();
}

absl::Status CheckLabelCount(absl::string_view labels_file, int64_t labels, absl::string_view file,
                             int64_t rows, absl::string_view rows_word) {
  if (labels == rows) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(labels_file, ": expected ", rows,
                                                 " labels, one for each of the ", rows_word, " of ",
                                                 file, ", got ", labels));
}

}  // namespace mlp
